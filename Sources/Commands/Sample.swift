import ArgumentParser
import Datasets
import Diffusion
import Foundation
import Images
import Interchange
import Models
import Torch
import Training

/// `latent sample RUN`.
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw new pictures from a trained run, or from a diffusers folder.",
    discussion: """
      Picture i is drawn with seed + i, so it does not depend on how many are drawn with it. Steps, \
      sampler and guidance belong to diffusion models, --truncation to adversarial networks, \
      --class to both where they were told classes. A gan over points draws their density. JSON keys: run, output, count, seed, \
      seconds; gan: \
      truncation, classes; diffusion: sampler, steps, guidance, classes, and what was given of eta, sigmas, \
      guidance_rescale, guidance_interval, negative_class; all: precision where it is not fp32.
      """)

  @Argument(
    help: ArgumentHelp("The folder of the run, or of a diffusers pipeline.", valueName: "run"))
  var runPath: String

  @Option(
    name: [.customShort("n"), .long],
    help: "How many pictures (default: 64, or as many as --latents holds).")
  var count: Int?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "The class, by name or number; repeated: in turn (default: all in turn).", valueName: "k"))
  var classes: [String] = []

  @Option(
    help: ArgumentHelp("The class to be guided away from (default: none at all).", valueName: "k"))
  var negativeClass: String?

  @Option(
    help: ArgumentHelp(
      "gan: codes are drawn again where they lie further than this from 0 (0.1...10).",
      valueName: "t"))
  var truncation: Double?

  @OptionGroup(title: "Denoising") var denoising: DenoisingOptions

  @OptionGroup var size: SizeOptions
  @OptionGroup var files: SamplingFiles
  @OptionGroup var file: PictureOutput
  @OptionGroup var seed: SeedOption

  @Option(
    help:
      "fp32, or bf16: half the digits, faster where the processor has bfloat16 (default: fp32).",
    completion: .list(["fp32", "bf16"]), transform: Precision.ofDrawing)
  var precision: Precision?

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    if let count, !(1...10_000).contains(count) {
      throw ValidationError("--count is \(count); it must lie in 1...10000.")
    }
    if let truncation, !(0.1...10).contains(truncation) {
      throw ValidationError("--truncation is \(truncation); it must lie in 0.1...10.")
    }
  }

  func run() throws {
    let device = try compute.start()
    try file.check()
    try files.check(force: file.force)
    let model = try TrainedModels.open(runPath, device: device)
    let start = ContinuousClock.now
    let seed = seed.value
    if truncation != nil, !(model is TrainedGAN) {
      throw CommandError(
        "\(runPath): --truncation means nothing to a run of the family \(model.family.rawValue); "
          + "it belongs to gan")
    }
    let pictures: Tensor
    var details: JSONObject
    if let diffusion = model as? TrainedDiffusion {
      if precision == .bf16 { diffusion.pipeline.unet.move(to: device, dtype: .bfloat16) }
      (pictures, details) = try denoise(diffusion, seed: seed)
    } else if let gan = model as? TrainedGAN {
      try refuseDenoising(model.family, knowsClasses: true)
      (pictures, details) = try generate(gan, seed: seed)
    } else if let autoencoder = model as? TrainedAutoencoder {
      try refuseDenoising(model.family)
      pictures = (precision ?? .fp32) { autoencoder.sample(count ?? 64, seed: seed) }
      details = ["seed": .int(Int(seed)), "count": .int(count ?? 64)]
    } else if model is TrainedAutoencoderKL {
      throw CommandError(
        "\(runPath): nothing can be drawn from a KL autoencoder alone, because its latents are for a "
          + "diffusion model to draw; `latent reconstruct` shows what it gives back")
    } else if model is TrainedLatentDiffusion {
      throw CommandError(
        "\(runPath): this model draws from a prompt; `latent generate \"…\" --model \(runPath)` does that"
      )
    } else {
      throw CommandError("\(runPath): pictures cannot be drawn from this run")
    }
    if let precision, precision != .fp32 { details["precision"] = .string(precision.rawValue) }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if let path = files.saveImages { try Weights.write([("images", pictures)], to: path) }
    let n = pictures.size(0)
    let image =
      try pictures.rank == 2
      ? density(pictures, of: model) : n == 1 ? pictures.pictures[0] : model.grid(pictures)
    try file.write(image, recipe: model.recipe("sample", details))
    var json: JSONObject = ["run": .string(runPath), "output": .string(file.output)]
    for (key, value) in details { json[key] = value }
    // Not in the recipe: the same command gives the same file.
    json["seconds"] = .double(seconds)
    try output.report(
      json,
      lines: [
        "\(n) \(pictures.rank == 2 ? "point" : "picture")\(n == 1 ? "" : "s"), seed \(seed): "
          + file.output
      ])
  }

  // MARK: Adversarial networks

  /// The samples of a generator, and what the recipe says of them.
  private func generate(
    _ model: TrainedGAN, seed: UInt64
  ) throws -> (samples: Tensor, details: JSONObject) {
    let count = count ?? (model.makesPoints ? 4000 : 64)
    let labels = try classes.map { try model.label($0) }
    var details: JSONObject = ["seed": .int(Int(seed)), "count": .int(count)]
    if let truncation { details["truncation"] = .double(truncation) }
    if let all = model.classesInTurn(count, labels) {
      details["classes"] = .array(all.map { .int($0) })
    }
    let samples = (precision ?? .fp32) {
      model.sample(count, seed: seed, classes: labels, truncation: truncation)
    }
    return (samples, details)
  }

  /// The density of points, over the modes of the data.
  private func density(_ points: Tensor, of model: any TrainedModel) throws -> Image {
    let mixture = model.origin.flatMap { PointMixture.named($0.data.name, split: .test) }
    let found = points.points
    let extent = mixture?.extent ?? found.map { max(abs($0.x), abs($0.y)) }.max() ?? 1
    return DensityPicture(points: found, extent: extent, marks: mixture?.centres ?? []).image()
  }

  // MARK: Diffusion

  /// The pictures of a diffusion model, and what the recipe says of them.
  private func denoise(
    _ model: TrainedDiffusion, seed: UInt64
  ) throws -> (pictures: Tensor, details: JSONObject) {
    let pipeline = model.pipeline
    let request = try request(to: model, seed: seed)
    let own = pipeline.scheduler.schedulerClass
    let notes = DenoisingOptions.notes(
      on: request.guidance, eta: request.eta, sampler: request.sampler?.schedulerClass ?? own,
      of: own, ("--negative-class", negativeClass != nil))
    for note in pipeline.notes + notes {
      output.talk("note: \(runPath): \(note)")
    }
    let progress = SamplingProgress(quiet: output.quiet)
    let drawn = try pipeline.denoise(request) { step, share in
      if let preview = files.preview, let seen = step.denoised {
        let shown = DiffusionPipeline.pictures(seen[0..<min(seen.size(0), 64)])
        try ImageGrid(shown.pictures, scale: max(1, 56 / shown.size(3)), margin: 4).image()
          .write(to: preview)
      }
      try progress.show(step, share: share)
    }
    progress.finish()
    if let path = files.saveLatents { try Weights.write([("latents", drawn)], to: path) }
    return (DiffusionPipeline.pictures(drawn), details(of: request, pipeline))
  }

  /// What the flags ask for.
  private func request(
    to model: TrainedDiffusion, seed: UInt64
  ) throws -> DiffusionPipeline.Request {
    let pipeline = model.pipeline
    let noise = try files.latents.map { try startingNoise($0, count: self.count) }
    let count = noise?.size(0) ?? count ?? 64
    let labels = try classes.map { try model.label($0) }
    let known = pipeline.classNames.count
    var request = DiffusionPipeline.Request(
      count: count, seed: seed,
      steps: denoising.steps ?? min(50, pipeline.scheduler.config.numTrainTimesteps),
      sampler: denoising.sampler, eta: denoising.eta, spacing: denoising.sigmas,
      classes: known == 0
        ? nil : (0..<count).map { labels.isEmpty ? $0 % known : labels[$0 % labels.count] },
      negativeClass: try negativeClass.map { try model.label($0) }, guidance: denoising.wanted,
      noise: noise)
    if size.given != nil {
      let own = pipeline.unet.config.sampleSize?.extents
      request.size = Extent(
        size.height ?? own?.height ?? size.width ?? 0, size.width ?? own?.width ?? size.height ?? 0)
    }
    return request
  }

  /// What the recipe says of a request.
  private func details(
    of request: DiffusionPipeline.Request, _ pipeline: DiffusionPipeline
  ) -> JSONObject {
    var details: JSONObject = [
      "seed": .int(Int(request.seed)), "count": .int(request.count),
      "sampler": .string(
        request.sampler?.rawValue ?? pipeline.scheduler.schedulerClass.rawValue),
      "steps": .int(request.steps ?? 0), "guidance": .double(request.guidance.scale),
    ]
    if let classes = request.classes { details["classes"] = .array(classes.map { .int($0) }) }
    if let eta = request.eta { details["eta"] = .double(eta) }
    if let sigmas = request.spacing { details["sigmas"] = .string("\(sigmas)") }
    if let rescale = denoising.guidanceRescale { details["guidance_rescale"] = .double(rescale) }
    if let range = denoising.guidanceInterval?.range {
      details["guidance_interval"] = [.double(range.lowerBound), .double(range.upperBound)]
    }
    if let negative = request.negativeClass { details["negative_class"] = .int(negative) }
    return details
  }

  private func refuseDenoising(_ family: Family, knowsClasses: Bool = false) throws {
    let flags: [(name: String, isGiven: Bool)] = [
      ("--class", !classes.isEmpty && !knowsClasses), ("--negative-class", negativeClass != nil),
    ]
    let given =
      denoising.given ?? flags.first(where: \.isGiven)?.name ?? files.given ?? size.given
    if let given {
      throw CommandError(
        "\(runPath): \(given) means nothing to a run of the family \(family.rawValue); it belongs to "
          + "diffusion models")
    }
  }
}
