import ArgumentParser
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
      reconstruction (nats a picture), mse (of values in 0...1).
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Option(help: "The data to measure on (default: the run's own, held-out part).")
  var data: String?

  @Option(name: [.customShort("n"), .long], help: "How many pictures (default: all).")
  var count: Int?

  @Option(help: "Draws a picture for the importance-weighted bound; 0 leaves it out.")
  var iwaeSamples = 50

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard (0...5000).contains(iwaeSamples) else {
      throw ValidationError("--iwae-samples is \(iwaeSamples); it must lie in 0...5000.")
    }
    if let count, count < 1 { throw ValidationError("--count is \(count); it must be positive.") }
  }

  func run() throws {
    let device = try compute.start()
    let trained = try TrainedRun(path: runPath, device: device)
    let set = try trained.open(data, split: .test)
    let line = output.quiet ? nil : StatusLine()
    let report = try AutoencoderReport(
      of: trained, on: set, importanceSamples: iwaeSamples, seed: seed.value,
      limit: count ?? .max
    ) { line?.show("\(StatusLine.bar($0)) importance-weighted bound") }
    line?.finish()
    try output.report(report.json, lines: report.lines)
  }
}
