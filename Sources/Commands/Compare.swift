import ArgumentParser
import Diffusion
import Evaluation
import Foundation
import Images
import Interchange
import Torch
import Training

/// `latent compare RUN…`.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Set runs side by side: one page with samples, measures and time.",
    discussion: """
      Draws as many pictures from every run, from the same seeds, measures them by the same features \
      against the same held-out pictures, and writes one HTML file that needs nothing else, with a \
      PNG of the same beside it. Samples are kept in each run's folder (evaluation/), so that a \
      second comparison draws only what is new.

      JSON keys: html, png, data, image_size, features (name, hash, resizing, width), samples, seed, \
      references (held-out pictures compared with), runs; a run: run, name, family, weights_sha256, \
      drawn, steps, fid, fid_floor (of as many training pictures), fid_infinity, kid, kid_error, \
      precision, recall, density, coverage, class_accuracy, sharpness and sharpness_real (shares of \
      fine detail), mse, psnr, ssim, negative_elbo (nats) and its likelihood, bits_per_dim, \
      seconds_per_picture, parameters, training_seconds, training_steps, points (steps, \
      seconds_per_picture, fid, kid, kid_error of every number of steps), notes; null where a run has \
      no such figure.
      """)

  @Argument(help: ArgumentHelp("The folders of the runs.", valueName: "run"))
  var runs: [String]

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      "The page to write, with a PNG beside it, or a folder for compare.html and compare.png.",
      valueName: "dir|file.html"))
  var output: String

  @Flag(help: "Replace the page and the picture when they are there.")
  var force = false

  @Option(help: "The data to measure on (default: the runs' own, which has to be the same).")
  var data: String?

  @Option(help: "Pictures to draw from every run.")
  var samples = 1000

  @Option(
    help: ArgumentHelp(
      "auto (the classifier that ships for the data, or pixels), pixels, a classifier's run, or a "
        + "safetensors file of Inception-v3.", valueName: "auto|pixels|dir|file.safetensors"))
  var features = "auto"

  @Option(
    help: ArgumentHelp(
      "Diffusion: numbers of steps, a point of the plot each; the most stands in the tables (default: "
        + "10,20,50).",
      valueName: "list"))
  var steps: StepCounts?

  @Option(
    help: ArgumentHelp("Diffusion: the sampler (default: each model's own).", valueName: "name"))
  var sampler: SamplerName?

  @Option(help: ArgumentHelp("Diffusion: how strongly the class is followed.", valueName: "w"))
  var guidance = 1.0

  @Option(
    name: .customLong("bound"),
    help: ArgumentHelp(
      "Diffusion: held-out pictures to take bits a dimension of, 100 levels each; it takes long (0: "
        + "none).", valueName: "n"))
  var boundCount = 0

  @Flag(name: .customLong("no-cache"), help: "Keep no samples in the runs' folders.")
  var isUncached = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var report: OutputOptions

  mutating func validate() throws {
    guard !runs.isEmpty else { throw ValidationError("Name at least one run.") }
    guard runs.count <= 20 else {
      throw ValidationError("\(runs.count) runs are too many for a page; 20 are the most.")
    }
    guard (10...100_000).contains(samples) else {
      throw ValidationError("--samples is \(samples); it must lie in 10...100000.")
    }
    guard (0...100_000).contains(boundCount) else {
      throw ValidationError("--bound is \(boundCount); it must lie in 0...100000.")
    }
    guard guidance.isFinite, abs(guidance) <= 1000 else {
      throw ValidationError("--guidance is \(guidance); it must lie in -1000...1000.")
    }
    let paths = runs.map { RunFolder(path: $0).path }
    if let twice = paths.first(where: { path in paths.count(where: { $0 == path }) > 1 }) {
      throw ValidationError("\(twice) is named twice.")
    }
  }

  func run() throws {
    let device = try compute.start()
    let (html, png) = try places()
    let models = try zip(names, runs).map { name, path in
      (name: name, model: try TrainedModels.open(path, device: device))
    }
    for (path, model) in zip(runs, models.map(\.model)) {
      for note in (model as? TrainedDiffusion)?.pipeline.notes ?? [] {
        report.talk("note: \(path): \(note)")
      }
    }
    try refuseDenoising(models.map(\.model))
    var settings = Comparison.Settings(seed: seed.value)
    settings.count = samples
    settings.steps = steps?.values ?? [10, 20, 50]
    settings.sampler = sampler
    settings.guidance = Guidance(scale: guidance)
    settings.boundCount = boundCount
    settings.isCached = !isUncached
    let line = report.quiet ? nil : StatusLine()
    let comparison = try Comparison(
      of: models, on: data, by: FeatureChoice(features), settings, device: device
    ) { line?.show("\(StatusLine.bar($0)) \($1)") }
    line?.finish()

    let page = try comparison.page(command: ["latent"] + CommandLine.arguments.dropFirst())
    let recipe: JSONObject = [
      "tool": "latent", "version": .string(latentVersion), "command": "compare",
      "runs": .array(
        models.map { ["run": .string($0.name), "model_sha256": .string($0.model.weightsHash)] }),
      "data": .string(comparison.data), "seed": .int(Int(settings.seed)), "samples": .int(samples),
    ]
    let text = PNGText.Entry(keyword: "latent", text: JSON.object(recipe).compact)
    let picture = try PNGText.insert([text], into: comparison.sheet().pngBytes())
    try FileManager.default.createDirectory(
      at: URL(filePath: html).deletingLastPathComponent(), withIntermediateDirectories: true)
    try AtomicFile.write(picture, to: png)
    try AtomicFile.write(page, to: html)
    var json: JSONObject = ["html": .string(html), "png": .string(png)]
    for (key, value) in comparison.json { json[key] = value }
    try report.report(json, lines: comparison.lines + ["", "\(html), \(png)"])
  }

  /// The page and the picture. Throws when one is there already, or no folder is theirs.
  private func places() throws -> (html: String, png: String) {
    if output.lowercased().hasSuffix(".html") {
      let png = output.dropLast(5) + ".png"
      for place in [output, String(png)] { try checkPlace(place, force: force) }
      return (output, String(png))
    }
    let folder = RunFolder(path: output).path
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
    guard !exists || isFolder.boolValue else {
      throw CommandError(
        "\(output): this is a file; name a folder, or a page whose name ends in .html")
    }
    let (html, png) = ("\(folder)/compare.html", "\(folder)/compare.png")
    if exists {
      for place in [html, png] { try checkPlace(place, force: force) }
    } else {
      try checkPlace(folder, force: false)
    }
    return (html, png)
  }

  /// What the page calls the runs: the last part of the path, or all of it where two would be alike.
  private var names: [String] {
    let last = runs.map { URL(filePath: $0).lastPathComponent }
    return zip(runs, last).map { path, name in
      last.count(where: { $0 == name }) > 1 ? path : name
    }
  }

  private func refuseDenoising(_ models: [any TrainedModel]) throws {
    guard !models.contains(where: { $0 is TrainedDiffusion }) else { return }
    let flags: [(name: String, isGiven: Bool)] = [
      ("--steps", steps != nil), ("--sampler", sampler != nil), ("--guidance", guidance != 1),
      ("--bound", boundCount > 0),
    ]
    if let given = flags.first(where: \.isGiven) {
      throw CommandError(
        "\(given.name) means nothing to these runs; it belongs to "
          + "diffusion models")
    }
  }
}

/// Numbers of steps, written as `10,20,50`.
struct StepCounts: ExpressibleByArgument {
  let values: [Int]

  init(values: [Int]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let numbers = parts.compactMap { $0 }
    guard numbers.count == parts.count, !numbers.isEmpty, numbers.allSatisfy({ 1...10_000 ~= $0 })
    else { return nil }
    values = Array(Set(numbers)).sorted()
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
