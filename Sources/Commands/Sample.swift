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
      guidance_rescale, guidance_interval, negative_class.
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

  @Option(help: "Pixels across, where the network takes other sizes than its own.")
  var width: Int?

  @Option(help: "Pixels down.")
  var height: Int?

  @Option(
    help: ArgumentHelp(
      "A safetensors file with the starting noise, key latents, [N, C, H, W].",
      valueName: "file"))
  var latents: String?

  @Option(
    help: ArgumentHelp(
      "A safetensors file for the end of the sampling, key latents, [N, C, H, W] about -1...1.",
      valueName: "file"))
  var saveLatents: String?

  @Option(
    help: ArgumentHelp(
      "A safetensors file for the pictures before rounding, key images, [N, C, H, W] in 0...1.",
      valueName: "file"))
  var saveImages: String?

  @Option(
    help: ArgumentHelp(
      "A PNG that is redrawn while sampling, with the pictures as the network sees them.",
      valueName: "file"))
  var preview: String?

  @OptionGroup var file: PictureOutput
  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    if let count, !(1...10_000).contains(count) {
      throw ValidationError("--count is \(count); it must lie in 1...10000.")
    }
    if let truncation, !(0.1...10).contains(truncation) {
      throw ValidationError("--truncation is \(truncation); it must lie in 0.1...10.")
    }
    for (name, value) in [("width", width), ("height", height)] {
      if let value, !(1...4096).contains(value) {
        throw ValidationError("--\(name) is \(value); it must lie in 1...4096.")
      }
    }
  }

  func run() throws {
    let device = try compute.start()
    try file.check()
    for path in [saveLatents, saveImages].compactMap(\.self) {
      guard path.hasSuffix(".safetensors") else {
        throw CommandError("\(path): the name must end in .safetensors")
      }
      try checkPlace(path, force: file.force)
    }
    if let preview { try checkPicture(preview, force: file.force) }
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
      (pictures, details) = try denoise(diffusion, seed: seed)
    } else if let gan = model as? TrainedGAN {
      try refuseDenoising(model.family, knowsClasses: true)
      (pictures, details) = try generate(gan, seed: seed)
    } else if let autoencoder = model as? TrainedAutoencoder {
      try refuseDenoising(model.family)
      pictures = autoencoder.sample(count ?? 64, seed: seed)
      details = ["seed": .int(Int(seed)), "count": .int(count ?? 64)]
    } else if model is TrainedAutoencoderKL {
      throw CommandError(
        "\(runPath): nothing can be drawn from a KL autoencoder alone, because its latents are for a "
          + "diffusion model to draw; `latent reconstruct` shows what it gives back")
    } else {
      throw CommandError("\(runPath): pictures cannot be drawn from this run")
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if let saveImages { try Weights.write([("images", pictures)], to: saveImages) }
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
    return (
      model.sample(count, seed: seed, classes: labels, truncation: truncation), details
    )
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
    for note in pipeline.notes + notes(on: request, pipeline) {
      output.talk("note: \(runPath): \(note)")
    }
    Interruption.listen()
    let start = ContinuousClock.now
    let line = output.quiet ? nil : StatusLine()
    let drawn = try pipeline.denoise(request) { step, share in
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      let left = clock(elapsed / share * (1 - share))
      line?.show("\(StatusLine.bar(share)) call \(step.done) of \(step.total)  \(left) left")
      if let preview, let seen = step.denoised {
        let shown = DiffusionPipeline.pictures(seen[0..<min(seen.size(0), 64)])
        try ImageGrid(shown.pictures, scale: max(1, 56 / shown.size(3)), margin: 4).image()
          .write(to: preview)
      }
      if let signal = Interruption.signalNumber { throw ExitCode(128 + signal) }
    }
    line?.finish()
    if let saveLatents { try Weights.write([("latents", drawn)], to: saveLatents) }
    return (DiffusionPipeline.pictures(drawn), details(of: request, pipeline))
  }

  /// What the flags ask for.
  private func request(
    to model: TrainedDiffusion, seed: UInt64
  ) throws -> DiffusionPipeline.Request {
    let pipeline = model.pipeline
    var noise: Tensor?
    if let latents {
      guard let found = try Weights.read(latents)["latents"], found.rank == 4, found.size(0) > 0,
        found.dtype.isFloatingPoint, found.isFinite().all().to(.int64).intItem() == 1
      else {
        throw CommandError(
          "\(latents): it holds no tensor \"latents\" [N, C, H, W] of finite numbers")
      }
      guard (count ?? found.size(0)) == found.size(0) else {
        throw CommandError(
          "\(latents): it holds the noise of \(found.size(0)) pictures, not of \(count ?? 0); leave "
            + "--count out")
      }
      noise = found.to(.float32)
    }
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
    if width != nil || height != nil {
      let own = pipeline.unet.config.sampleSize?.extents
      request.size = Extent(height ?? own?.height ?? width ?? 0, width ?? own?.width ?? height ?? 0)
    }
    return request
  }

  /// What flags do not do that a person may expect of them.
  private func notes(
    on request: DiffusionPipeline.Request, _ pipeline: DiffusionPipeline
  ) -> [String] {
    var notes: [String] = []
    let used = request.sampler?.schedulerClass ?? pipeline.scheduler.schedulerClass
    if request.eta != nil, ![SchedulerClass.ddim, .tcd].contains(used) {
      notes.append("--eta does nothing to \(used.rawValue); it is for ddim and tcd")
    }
    if request.guidance.scale == 1 {
      for (flag, isGiven) in [
        ("--negative-class", negativeClass != nil),
        ("--guidance-rescale", denoising.guidanceRescale != nil),
        ("--guidance-interval", denoising.guidanceInterval != nil),
      ] where isGiven {
        notes.append("\(flag) does nothing without --guidance")
      }
    }
    if [.edmEuler, .edmDPM, .consistency].contains(used),
      used != pipeline.scheduler.schedulerClass
    {
      notes.append(
        "\(used.rawValue) is for networks that were trained for it, which this one was not")
    }
    return notes
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
      ("--latents", latents != nil), ("--save-latents", saveLatents != nil),
      ("--preview", preview != nil), ("--width", width != nil),
      ("--height", height != nil),
    ]
    let given = denoising.given ?? flags.first(where: \.isGiven)?.name
    if let given {
      throw CommandError(
        "\(runPath): \(given) means nothing to a run of the family \(family.rawValue); it belongs to "
          + "diffusion models")
    }
  }
}
