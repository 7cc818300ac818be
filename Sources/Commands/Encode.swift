import ArgumentParser
import Foundation
import Interchange
import Models
import Torch
import Training

/// `latent encode RUN`.
struct Encode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the codes of pictures to a safetensors file.",
    discussion: """
      Keys of the file: codes [N, D]; for a VAE also log_variance [N, D] (codes are the means). \
      JSON keys: run, output, count, latent_dim.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Argument(help: "Picture files; without any, the held-out data.")
  var images: [String] = []

  @Option(help: "The data to encode (default: the run's own).")
  var data: String?

  @Option(name: [.customShort("n"), .long], help: "How many pictures of the data (default: all).")
  var count: Int?

  @Option(name: [.customShort("o"), .long], help: "The safetensors file to write.")
  var output: String

  @Flag(help: "Replace the output when it is there.")
  var force = false

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var talk: OutputOptions

  mutating func validate() throws {
    if !images.isEmpty, data != nil {
      throw ValidationError("Give picture files or --data, not both.")
    }
    if let count, count < 1 { throw ValidationError("--count is \(count); it must be positive.") }
  }

  func run() throws {
    let device = try compute.start()
    guard output.hasSuffix(".safetensors") else {
      throw CommandError("\(output): the name must end in .safetensors")
    }
    try checkPlace(output, force: force)
    let trained = try TrainedAutoencoder(path: runPath, device: device)
    var codes: [Tensor] = []
    var logVariances: [Tensor] = []
    func add(_ pictures: Tensor) {
      withoutGradients {
        let pictures = pictures.to(device)
        guard trained.autoencoder.config.kind == .variational else {
          return codes.append(trained.encode(pictures))
        }
        let posterior = trained.autoencoder.posterior(pictures)
        codes.append(posterior.mean.to(.cpu))
        logVariances.append(posterior.logVariance.to(.cpu))
      }
    }
    if images.isEmpty {
      let set = try trained.open(data, split: .test)
      let total = min(count ?? set.count, set.count)
      for start in stride(from: 0, to: total, by: 500) {
        add(try set.pictures(start..<min(start + 500, total)))
      }
    } else {
      for image in images { add(try trained.picture(image)) }
    }
    var tensors = [("codes", Tensor.concatenated(codes))]
    if !logVariances.isEmpty {
      tensors.append(("log_variance", Tensor.concatenated(logVariances)))
    }
    let n = tensors[0].1.size(0)
    try Weights.write(
      tensors.map { (key: $0.0, tensor: $0.1) },
      metadata: ["format": "pt", "model_sha256": trained.weightsHash], to: output)
    try talk.report(
      [
        "run": .string(runPath), "output": .string(output), "count": .int(n),
        "latent_dim": .int(trained.autoencoder.config.latentDim),
      ],
      lines: ["\(n) codes of \(trained.autoencoder.config.latentDim) numbers: \(output)"])
  }
}
