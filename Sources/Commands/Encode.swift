import ArgumentParser
import Diffusion
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
      Keys of the file: codes [N, D]; for a VAE also log_variance [N, D] (codes are the means). A \
      diffusion model's codes are the noise that draws the picture, found by DDIM backwards: key \
      latents [N, C, H, W], for `latent sample --latents`. JSON keys: run, output, count, latent_dim.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Argument(help: "Picture files; without any, the held-out data.")
  var images: [String] = []

  @Option(help: "The data to encode (default: the run's own).")
  var data: String?

  @Option(name: [.customShort("n"), .long], help: "How many pictures of the data (default: all).")
  var count: Int?

  @Option(help: "Diffusion: steps from the picture to its noise (default: 50).")
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "Diffusion: the way back, ddim-inverse or dpmpp-2m-inverse (default: ddim-inverse).",
      valueName: "name"))
  var sampler: String?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Diffusion: the class of the pictures (default: that of the data, or none).",
      valueName: "k"))
  var label: String?

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
    if let steps, steps < 1 { throw ValidationError("--steps is \(steps); it must be positive.") }
    if let sampler, SamplerName(rawValue: sampler)?.isInverse != true {
      throw ValidationError(
        "--sampler is \(sampler); ddim-inverse and dpmpp-2m-inverse go from a picture to its noise."
      )
    }
    if let count, count < 1 { throw ValidationError("--count is \(count); it must be positive.") }
  }

  func run() throws {
    let device = try compute.start()
    guard output.hasSuffix(".safetensors") else {
      throw CommandError("\(output): the name must end in .safetensors")
    }
    try checkPlace(output, force: force)
    let model = try TrainedModels.open(runPath, device: device)
    let tensors =
      if let diffusion = model as? TrainedDiffusion {
        [("latents", try invert(diffusion))]
      } else {
        try encode(TrainedAutoencoder(path: runPath, device: device))
      }
    let (n, width) = (tensors[0].1.size(0), tensors[0].1.count / tensors[0].1.size(0))
    try Weights.write(
      tensors.map { (key: $0.0, tensor: $0.1) },
      metadata: ["format": "pt", "model_sha256": model.weightsHash], to: output)
    try talk.report(
      [
        "run": .string(runPath), "output": .string(output), "count": .int(n),
        "latent_dim": .int(width),
      ],
      lines: ["\(n) codes of \(width) numbers: \(output)"]
        + (model is TrainedDiffusion
          ? ["next  latent sample \(runPath) --latents \(output) --sampler ddim -o pictures.png"]
          : [])
    )
  }

  /// The codes of an autoencoder, and for a variational one how sure they are, `[N, D]`.
  private func encode(_ trained: TrainedAutoencoder) throws -> [(String, Tensor)] {
    var codes: [Tensor] = []
    var logVariances: [Tensor] = []
    try forEachBatch(trained) { pictures, _ in
      guard trained.autoencoder.config.kind == .variational else {
        return codes.append(trained.encode(pictures))
      }
      let posterior = trained.posterior(pictures)
      codes.append(posterior.mean)
      logVariances.append(posterior.logVariance)
    }
    return [("codes", .concatenated(codes))]
      + (logVariances.isEmpty ? [] : [("log_variance", .concatenated(logVariances))])
  }

  /// The noise that a diffusion model draws the pictures from, `[N, C, H, W]`.
  private func invert(_ model: TrainedDiffusion) throws -> Tensor {
    let pipeline = model.pipeline
    guard !pipeline.scheduler.isFlow else {
      throw CommandError(
        "\(runPath): the noise of a flow's pictures cannot be found here; DDIM goes backwards over the "
          + "levels of a Markov chain")
    }
    let label = try label.map { try model.label($0) }
    Interruption.listen()
    let line = talk.quiet ? nil : StatusLine()
    var noises: [Tensor] = []
    try forEachBatch(model) { pictures, labels in
      let classes: [Int]? =
        pipeline.classNames.isEmpty
        ? nil
        : try labels.map { known in
          guard let label = label ?? known ?? pipeline.nullClass else {
            throw CommandError("\(runPath): this model wants to be told a class; add --class")
          }
          return label
        }
      let request = DiffusionPipeline.Request(
        count: pictures.size(0), seed: 0, steps: steps,
        sampler: sampler.flatMap(SamplerName.init(rawValue:)) ?? .ddimInverse, classes: classes)
      let done = noises.reduce(0) { $0 + $1.size(0) }
      noises.append(
        try pipeline.invert(pictures, request) { step, share in
          line?.show("picture \(done + 1) to \(done + pictures.size(0))  \(StatusLine.bar(share))")
          if let signal = Interruption.signalNumber { throw ExitCode(128 + signal) }
        })
    }
    line?.finish()
    return .concatenated(noises)
  }

  /// Calls `body` with some pictures at a time, `[N, C, H, W]` in [0, 1], and their classes.
  private func forEachBatch(
    _ model: any TrainedModel, _ body: (Tensor, [Int?]) throws -> Void
  ) throws {
    guard images.isEmpty else {
      for image in images { try body(model.picture(image), [nil]) }
      return
    }
    let set = try model.open(data, split: .test)
    let total = min(count ?? set.count, set.count)
    for start in stride(from: 0, to: total, by: 100) {
      let range = start..<min(start + 100, total)
      try body(set.pictures(range), range.map { set.label(at: $0) })
    }
  }
}
