import ArgumentParser
import Datasets
import Foundation
import Interchange
import Torch
import Training

/// `latent doctor`.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show versions, devices and what is missing.",
    discussion: """
      JSON keys: latent, torch, libtorch (the library file), system, processors, threads, cpu_capability, \
      matrix_unit, devices, datasets_missing, problems.
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let devices = [Device.cpu, .cuda(0), .mps].filter(\.isAvailable).map(\.description)
    let missing = DatasetCatalog.listings().filter { !$0.isPresent }
    let process = ProcessInfo.processInfo
    let library = Runtime.libraryPath ?? "unknown"
    var problems: [String] = []
    if Runtime.cpuCapability == "DEFAULT" {
      problems.append("libtorch finds no vector instructions (AVX2 or AVX-512): everything is slow")
    }
    let free =
      (try? URL(filePath: ".").resourceValues(
        forKeys: [.volumeAvailableCapacityKey]).volumeAvailableCapacity) ?? nil
    if let free, free < 1 << 30 { problems.append("less than 1 GB of disk is free here") }
    var lines = [
      "latent        \(latentVersion)",
      "libtorch      \(Runtime.version)  in \(library)",
      "system        \(process.operatingSystemVersionString)",
      "processors    \(process.activeProcessorCount), \(Runtime.threads) threads an operation, "
        + "\(Runtime.cpuCapability)\(Runtime.hasMatrixUnit ? ", matrix unit" : "")",
      "devices       \(devices.joined(separator: ", "))",
    ]
    for set in missing { lines.append("missing data  \(set.name): \(set.remedy)") }
    lines += problems.map { "problem       \($0)" }
    if problems.isEmpty { lines.append("ready") }
    try output.report(
      [
        "latent": .string(latentVersion), "torch": .string(Runtime.version),
        "libtorch": .string(library), "system": .string(process.operatingSystemVersionString),
        "processors": .int(process.activeProcessorCount), "threads": .int(Runtime.threads),
        "cpu_capability": .string(Runtime.cpuCapability),
        "matrix_unit": .bool(Runtime.hasMatrixUnit),
        "devices": .array(devices.map { .string($0) }),
        "datasets_missing": .array(missing.map { .string($0.name) }),
        "problems": .array(problems.map { .string($0) }),
      ], lines: lines)
  }
}
