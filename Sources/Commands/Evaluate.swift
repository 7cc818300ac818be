import ArgumentParser
import Datasets
import Evaluation
import Interchange
import Torch
import Training

/// `latent evaluate RUN`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a run on held-out data.",
    discussion: """
      JSON keys: run, family, data, count, seed; vae: elbo, iwae, kl, reconstruction (nats a \
      picture; elbo = −reconstruction − kl ≤ iwae), iwae_samples, active_units; ae: \
      reconstruction (nats a picture), mse (of values in 0...1); diffusion: bits_per_dim (the \
      variational bound), prior and decoder (its last and first term), terms (one a level, null \
      where none was drawn), levels.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Option(help: "The data to measure on (default: the run's own, held-out part).")
  var data: String?

  @Option(help: "The part of the data: train or test.")
  var split = Split.test

  @Option(name: [.customShort("n"), .long], help: "How many pictures (default: all).")
  var count: Int?

  @Option(help: "Draws a picture for the importance-weighted bound; 0 leaves it out.")
  var iwaeSamples = 50

  @Option(help: "Diffusion: noise levels that each picture visits for the bound; 1000: all.")
  var levels = 100

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard (0...5000).contains(iwaeSamples) else {
      throw ValidationError("--iwae-samples is \(iwaeSamples); it must lie in 0...5000.")
    }
    guard (1...100_000).contains(levels) else {
      throw ValidationError("--levels is \(levels); it must lie in 1...100000.")
    }
    if let count, count < 1 { throw ValidationError("--count is \(count); it must be positive.") }
  }

  func run() throws {
    let device = try compute.start()
    let model = try TrainedModels.open(runPath, device: device)
    let set = try model.open(data, split: split)
    for note in (model as? TrainedDiffusion)?.pipeline.notes ?? [] {
      output.talk("note: \(runPath): \(note)")
    }
    let line = output.quiet ? nil : StatusLine()
    let (json, lines) = try measure(model, set) { line?.show("\(StatusLine.bar($0)) \($1)") }
    line?.finish()
    try output.report(json, lines: lines)
  }

  private func measure(
    _ model: any TrainedModel, _ set: any Dataset, _ progress: (Double, String) -> Void
  ) throws -> (JSONObject, [String]) {
    if let diffusion = model as? TrainedDiffusion {
      let report = try DiffusionReport(
        of: diffusion, on: set, seed: seed.value, limit: count ?? .max, levels: levels
      ) { progress($0, "variational bound") }
      return (report.json, report.lines)
    }
    guard let autoencoder = model as? TrainedAutoencoder else {
      throw CommandError("\(runPath): there is nothing to measure in this run")
    }
    let report = try AutoencoderReport(
      of: autoencoder, on: set, importanceSamples: iwaeSamples, seed: seed.value,
      limit: count ?? .max
    ) { progress($0, "importance-weighted bound") }
    return (report.json, report.lines)
  }
}

extension Split: ExpressibleByArgument {}
