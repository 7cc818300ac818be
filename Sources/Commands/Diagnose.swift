import ArgumentParser
import Evaluation
import Interchange
import Training

/// `latent diagnose RUN`.
struct Diagnose: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is wrong with a run, by which figure, and what to try.",
    discussion: """
      Looks at the run's curves, at its weights, at training and held-out pictures and at new ones. \
      A warning is something wrong; a note is worth knowing. The exit code is 0 either way. JSON \
      keys: run, family, healthy (no warnings), checks (how many were made), findings (check, \
      severity, figure, threshold, message, why, remedy), seed.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Option(help: "The data that the run was trained on (default: as the run names it).")
  var data: String?

  @Option(
    name: [.customShort("n"), .long],
    help: "New pictures to draw (default: 200 of a diffusion model, 1000 of others).")
  var samples: Int?

  @Option(
    help: "What pictures are compared by: auto, pixels, a classifier's run, or a .safetensors file."
  )
  var features = "auto"

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    if let samples, !(25...100_000).contains(samples) {
      throw ValidationError("--samples is \(samples); it must lie in 25...100000.")
    }
  }

  func run() throws {
    let device = try compute.start()
    let model = try TrainedModels.open(runPath, device: device)
    let seed = seed.value
    let line = output.quiet ? nil : StatusLine()
    let diagnosis = try Diagnosis(
      of: model,
      Diagnosis.Options(
        data: data, samples: samples, features: FeatureChoice(features), seed: seed)
    ) { line?.show("\(StatusLine.bar($0)) \($1)") }
    line?.finish()
    var json = diagnosis.json
    json["seed"] = .int(Int(seed))
    try output.report(json, lines: diagnosis.lines)
  }
}
