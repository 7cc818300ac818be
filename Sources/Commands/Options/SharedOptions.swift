import ArgumentParser
import Foundation
import Interchange
import Torch
import Training

/// How results and talk come out.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print exactly one JSON object on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress and no talk on standard error.")
  var quiet = false

  /// Prints a result: the object with `--json`, the lines otherwise.
  ///
  /// Throws `FileError` when standard output does not take it. A reader that has seen enough and
  /// went away, such as `head`, is no failure.
  func report(_ object: JSONObject, lines: [String]) throws(FileError) {
    let text = json ? JSON.object(object).compact : lines.joined(separator: "\n")
    var rest = Array("\(text)\n".utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        if errno == EPIPE { return }
        throw FileError(path: "standard output", action: "it cannot be written", code: errno)
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Says something on standard error unless `--quiet`.
  func talk(_ text: String) {
    guard !quiet else { return }
    try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8))
  }
}

/// What computes.
struct ComputeOptions: ParsableArguments {
  @Option(help: "Threads that one operation may use (default: one a processor).")
  var threads: Int?

  @Option(help: "Where to compute: cpu, cuda, cuda:N or mps.")
  var device = "cpu"

  mutating func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); it must lie in 1...1024.")
    }
    guard Device(device) != nil else {
      throw ValidationError("--device \(device) is none of cpu, cuda, cuda:N, mps.")
    }
  }

  /// Sets up the process, one of a launch where there is one; call before the first tensor. Throws
  /// when the device is not there.
  func start(_ launch: Launch? = nil) throws -> Device {
    Runtime.prepare()
    if let threads {
      Runtime.setThreads(threads)
    } else if let launch,
      launch.hasLaunchersThreads
        || ProcessInfo.processInfo.environment["OMP_NUM_THREADS"] == nil
    {
      // The processes of a machine share its processors.
      let processors = ProcessInfo.processInfo.activeProcessorCount
      Runtime.setThreads(max(1, processors / launch.localCount))
    }
    let name = device == "cuda" ? launch.map { "cuda:\($0.localRank)" } ?? device : device
    let device = Device(name) ?? .cpu
    if launch != nil, device == .mps {
      throw CommandError("several processes cannot share a device mps; train in one, or on cpu")
    }
    guard device.isAvailable else {
      throw CommandError(
        "the device \(device) is not available: this libtorch or this machine has none; "
          + "`latent doctor` shows what there is")
    }
    return device
  }
}

/// The seed of what is drawn.
struct SeedOption: ParsableArguments {
  @Option(help: "The seed of everything that is drawn (default: a random one, reported).")
  var seed: UInt64?

  mutating func validate() throws {
    // JSON readers, ours among them, take integers of 63 bits.
    if let seed, seed > UInt64(Int64.max) {
      throw ValidationError("--seed is \(seed); it must lie in 0...\(Int64.max).")
    }
  }

  /// The seed given, or a new one.
  var value: UInt64 { seed ?? Self.drawn }

  /// A new seed.
  static var drawn: UInt64 { UInt64.random(in: 0..<1 << 32) }
}

/// A run that the command could not do, without a path of its own.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ sentence: String) {
    description = sentence
  }
}
