import Diffusion
import Foundation
import Images
import Interchange
import Models
import Torch
import Training

extension Generate {
  /// What was drawn and written.
  struct Drawing {
    /// The result as `--json` prints it.
    let json: JSONObject
    /// The result for a person: a line a file.
    let lines: [String]
  }

  /// Draws what the settings say and writes it, whole or not at all.
  ///
  /// Throws the exit code of a stop that the person or the system wants.
  func draw(_ settings: GenerationSettings, with model: PromptedModel) throws -> Drawing {
    let pipeline = model.pipeline
    let progress = SamplingProgress(quiet: output.quiet)
    var (request, notes) = try request(settings, to: model)
    if !interactive { notes = pipeline.notes + notes }
    try check(request, of: pipeline)
    let drawn = try pipeline.generate(request) { step, share in
      try show(step, of: pipeline)
      try progress.show(step, share: share)
    }
    try progress.stopIfWanted()
    progress.finish()
    notes += drawn.notes
    for note in notes { output.talk("note: \(note)") }

    let steps = request.steps ?? min(20, pipeline.scheduler.config.numTrainTimesteps)
    let own = pipeline.scheduler.schedulerClass.rawValue
    var recipe: JSONObject = [
      "tool": "latent", "version": .string(latentVersion), "command": "generate",
      "model": .string(model.name), "model_sha256": .string(try model.hash.hex),
    ]
    let details = try settings.details(
      steps: steps, sampler: request.sampler?.rawValue ?? own, guidance: request.guidance.scale)
    for (key, value) in details { recipe[key] = value }
    let (height, width) = (drawn.images.size(2), drawn.images.size(3))
    (recipe["width"], recipe["height"]) = (.int(width), .int(height))
    (recipe["seed"], recipe["count"]) = (.int(Int(request.seed)), .int(request.count))
    let paths = try write(drawn, request, recipe)

    var json: JSONObject = [
      "output": .string(paths[0]), "outputs": .array(paths.map { .string($0) }),
    ]
    for (key, value) in recipe where !["tool", "version", "command"].contains(key) {
      json[key] = value
    }
    let seconds = progress.seconds
    json["seconds"] = .double(seconds)
    json["load_seconds"] = .double(model.loadSeconds)
    json["notes"] = .array(notes.map { .string($0) })
    let time = String(format: "%.2f s", seconds)
    let lines = paths.enumerated().map { place, path in
      let pictures =
        paths.count < request.count ? "\(request.count) pictures of " : ""
      return "\(path)  \(pictures)\(width)×\(height), seed \(request.seed + UInt64(place)), \(time)"
    }
    return Drawing(json: json, lines: lines)
  }

  /// The request that settings make of a model, and what to say about it.
  private func request(
    _ settings: GenerationSettings, to model: PromptedModel
  ) throws -> (TextToImagePipeline.Request, notes: [String]) {
    let (pipeline, prompt) = (model.pipeline, settings.prompt ?? "")
    var notes: [String] = []
    var request = TextToImagePipeline.Request(
      prompt: prompt, negativePrompt: settings.negativePrompt,
      seed: settings.seed ?? SeedOption.drawn, steps: settings.steps, sampler: settings.sampler,
      eta: settings.eta, spacing: settings.spacing,
      guidance: Guidance(
        scale: settings.guidance ?? model.guidance ?? 7.5, rescale: settings.guidanceRescale,
        interval: settings.guidanceInterval),
      clipSkip: settings.clipSkip)
    request.latents = try settings.latents.map { try startingNoise($0, count: settings.count) }
    request.count = request.latents?.size(0) ?? settings.count ?? 1
    if prompt.allSatisfy(\.isWhitespace), !start.variations {
      notes.append("the prompt is empty, so the picture follows none")
    }
    let own = pipeline.usualSize
    if let files = settings.start {
      let picture = try StartPicture(files)
      let (extent, note) = picture.extent(
        width: settings.width, height: settings.height, own: own, scale: model.scale,
        keepsSize: model.keepsSize)
      notes += [note].compactMap(\.self)
      request.size = extent
      request.start = picture.start(extent, scale: model.scale, strength: files.usedStrength)
    } else if settings.width != nil || settings.height != nil {
      request.size = Extent(
        settings.height ?? own?.height ?? settings.width ?? 0,
        settings.width ?? own?.width ?? settings.height ?? 0)
    }
    let ownClass = pipeline.scheduler.schedulerClass
    var guidance = request.guidance
    // As the pipeline takes it.
    guidance.scale = max(guidance.scale, 1)
    notes += DenoisingOptions.notes(
      on: guidance, eta: request.eta, sampler: request.sampler?.schedulerClass ?? ownClass,
      of: ownClass, ("--negative-prompt", !request.negativePrompt.isEmpty))
    return (request, notes)
  }

  /// Throws for what cannot be drawn or written, before any work is done.
  private func check(
    _ request: TextToImagePipeline.Request, of pipeline: TextToImagePipeline
  ) throws {
    if let problem = pipeline.problem(with: request) { throw CommandError(problem) }
    // Of starting noise the number of pictures was unknown before.
    try file.check(count: request.count, numbersGoOn: interactive)
    guard request.seed <= UInt64(Int.max - request.count + 1) else {
      throw CommandError("the seed \(request.seed) is too large for \(request.count) pictures")
    }
    if file.place.isGrid, request.count > 1, let size = request.size ?? pipeline.usualSize,
      request.count > Image.maximumPixelCount / (size.width * size.height)
    {
      throw CommandError(
        "\(request.count) pictures of \(size.width)×\(size.height) are too many for one grid; name a "
          + "folder with --output")
    }
  }

  /// Redraws the preview.
  private func show(_ step: Denoising.Step, of pipeline: TextToImagePipeline) throws {
    guard let path = files.preview else { return }
    let seen = step.denoised ?? step.sample
    let shown = pipeline.preview(of: seen[0..<min(seen.size(0), 16)])
    let scale = pipeline.autoencoder.config.scale
    try ImageGrid(shown.pictures, scale: scale).image().write(to: path)
  }

  /// Writes pictures and tensors; the paths of the pictures.
  private func write(
    _ drawn: TextToImagePipeline.Generated, _ request: TextToImagePipeline.Request,
    _ recipe: JSONObject
  ) throws -> [String] {
    if let path = files.saveLatents { try Weights.write([("latents", drawn.latents)], to: path) }
    if let path = files.saveImages { try Weights.write([("images", drawn.images)], to: path) }
    let (pictures, isGrid) = (drawn.images.pictures, file.place.isGrid)
    let fileCount = isGrid ? 1 : pictures.count
    let paths = try file.paths(
      prompt: request.prompt, seeds: (0..<fileCount).map { request.seed + UInt64($0) },
      numbersGoOn: interactive)
    if isGrid {
      let image = pictures.count == 1 ? pictures[0] : try ImageGrid(pictures).image()
      try image.write(to: paths[0], recipe: recipe)
      return paths
    }
    for (place, (picture, path)) in zip(pictures, paths).enumerated() {
      var recipe = recipe
      // Of noise that was given, a picture alone cannot be repeated.
      if request.latents == nil {
        (recipe["seed"], recipe["count"]) = (.int(Int(request.seed) + place), 1)
      }
      try picture.write(to: path, recipe: recipe)
    }
    return paths
  }
}
