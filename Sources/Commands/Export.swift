import ArgumentParser
import Foundation
import Interchange
import Models
import NeuralNets
import Torch
import Training

/// `latent export RUN`.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a text-to-image model as a folder that diffusers opens, to be given away.",
    discussion: """
      The folder holds the networks alone, half as large with --dtype fp16, and latent.json with what \
      suits the model. JSON keys: run, output, dtype, parameters, bytes.
      """)

  /// How weights are stored.
  enum Storage: String, CaseIterable, ExpressibleByArgument {
    case fp32, fp16, bf16

    var dtype: DType {
      switch self {
      case .fp32: .float32
      case .fp16: .float16
      case .bf16: .bfloat16
      }
    }
  }

  @Argument(
    help: ArgumentHelp("A run of latent-diffusion, or a diffusers folder.", valueName: "run"))
  var runPath: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder to write; it must not exist.", valueName: "dir"))
  var output: String

  @Option(help: "How weights are stored: fp32, fp16 or bf16.")
  var dtype = Storage.fp16

  @Option(help: ArgumentHelp("The guidance that suits the model best.", valueName: "w"))
  var guidance: Double?

  @OptionGroup var report: OutputOptions

  func run() throws {
    guard TrainedLatentDiffusion.isPipeline(runPath) else {
      throw CommandError("\(runPath): this folder holds no text-to-image model")
    }
    guard !FileManager.default.fileExists(atPath: output) else {
      throw CommandError("\(output): this is there already; name a folder that is not")
    }
    let pipeline = try TrainedLatentDiffusion(path: runPath).pipeline
    let networks: [Module] = [pipeline.unet, pipeline.autoencoder] + pipeline.encoders.map(\.model)
    for network in networks { network.move(dtype: dtype.dtype) }
    // Written aside, so that nothing half-written is left behind.
    let aside = "\(output).partial"
    try? FileManager.default.removeItem(atPath: aside)
    do {
      try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: true)
      try pipeline.save(to: aside)
      let advice: JSONObject = guidance.map { ["guidance": .double($0)] } ?? [:]
      try JSON.object(advice).write(to: "\(aside)/\(PromptedModel.advice)")
      try FileManager.default.moveItem(atPath: aside, toPath: output)
    } catch {
      try? FileManager.default.removeItem(atPath: aside)
      throw error is any ExplainedError
        ? error
        : CommandError("\(output): the folder cannot be written: \(error.localizedDescription)")
    }
    let parameters = networks.reduce(0) { $0 + $1.parameterCount }
    let bytes = parameters * dtype.dtype.size
    try report.report(
      [
        "run": .string(runPath), "output": .string(output), "dtype": .string(dtype.rawValue),
        "parameters": .int(parameters), "bytes": .int(bytes),
      ],
      lines: ["\(output): \(parameters) parameters in \(dtype.rawValue), \(bytes / 1_000_000) MB"])
  }
}
