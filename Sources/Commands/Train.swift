import ArgumentParser
import Datasets
import Foundation
import Interchange
import Models
import Torch
import Training

/// `latent train FAMILY`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model from scratch, or go on with a run.",
    discussion: """
      Settings come from a preset, a JSON file over it (--config), and flags over both (--set \
      key=value); an unknown key is an error that names the nearest one. \
      JSON keys: run, family, seed, steps, seconds, images_per_second, parameters, interrupted, \
      ranks, checkpoint_pause_seconds, data_wait (the share of the time that the training waited \
      for data, 0 to 1), damaged_samples (of tar shards), and the measures on held-out data (vae: \
      negative_elbo, reconstruction, kl; ae: reconstruction, mse; vae-gan: mse, kl; \
      autoencoder-kl: psnr, mse, kl; gan: \
      discriminator_accuracy, value; diffusion: loss; classifier: accuracy, loss). With --dry-run: \
      family, parameters, step_seconds, steps, seconds, images_per_second, memory_bytes. \
      Several processes train together when RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are set, \
      as by torchrun --no-python: each takes its part of every batch.
      """)

  @Argument(help: "The family: \(Family.allCases.map(\.rawValue).joined(separator: ", ")).")
  var family: String

  @Option(help: "A data set's name or path; `latent datasets` lists the names.")
  var data: String?

  @Option(help: "The folder of the run (default: runs/FAMILY-DATA, numbered).")
  var out: String?

  @Option(help: "The recipe to start from; `latent models` lists them.")
  var preset: String?

  @Option(help: "gan: the game that is played; `latent models` lists them.")
  var loss: String?

  @Option(
    help: ArgumentHelp(
      """
      latent-diffusion: the run of an autoencoder-kl, or a folder with one (default: one is trained \
      first, in RUN-autoencoder, for a fifth of the minutes).
      """, valueName: "dir"))
  var autoencoder: String?

  @Option(
    help: ArgumentHelp(
      "lora: the text-to-image model that is changed, a folder or a single file.", valueName: "dir")
  )
  var model: String?

  @Option(help: "A JSON file with settings.")
  var config: String?

  @Option(help: "One setting, as key=value; may be repeated.")
  var set: [String] = []

  @Option(help: "Train for so many optimizer steps.")
  var steps: Int?

  @Option(help: "Train for so many passes over the data.")
  var epochs: Int?

  @Option(help: "Train for so many minutes (default: 10).")
  var minutes: Double?

  @Option(help: "Pictures a step.")
  var batchSize: Int?

  @Option(help: "The side in pixels to which pictures are brought.")
  var imageSize: Int?

  @Option(help: "1 for grey, 3 for colour (default: as the data has it).")
  var channels: Int?

  @Option(
    help: """
      Tar shards: samples that are shuffled among each other, of which memory holds twice as many \
      (default: \(ShardedImages.defaultShuffleBuffer)).
      """)
  var shuffleBuffer: Int?

  @Option(help: "Minutes between two checkpoints.")
  var checkpointMinutes = 5.0

  @Option(help: "How many of the newest checkpoints stay.")
  var keepCheckpoints = 2

  @Option(help: "The first checkpoint of every so many steps stays for ever; 0: none.")
  var keepEvery = 0

  @Flag(
    help: """
      Measure held-out pictures at every checkpoint; the best one stays, and the run's network is \
      that one's at the end.
      """)
  var keepBest = false

  @Flag(help: "Show network, memory and time of the training, and leave nothing behind.")
  var dryRun = false

  @Flag(help: "Go on with the run in --out from its newest checkpoint.")
  var resume = false

  @Flag(help: "Replace an earlier run in --out.")
  var force = false

  @Option(
    help: """
      fp32; bf16x3: float32 products as three of bfloat16 halves on a matrix unit (AMX), errors of \
      4e-6; or bf16: products in bfloat16, weights and sums in float32 (default: fp32).
      """)
  var precision: Precision?

  @Option(
    help: """
      Seconds after which a rank gives up waiting for the others; longer than rank 0 draws a sheet \
      or measures.
      """)
  var rankTimeout = 600.0

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    if [steps != nil, epochs != nil, minutes != nil].count(where: \.self) > 1 {
      throw ValidationError("Give one of --steps, --epochs and --minutes.")
    }
    for (name, value) in [("steps", steps), ("epochs", epochs)] {
      if let value, value < 1 {
        throw ValidationError("--\(name) is \(value); it must be positive.")
      }
    }
    if let batchSize, !(1...65_536).contains(batchSize) {
      throw ValidationError("--batch-size is \(batchSize); it must lie in 1...65536.")
    }
    if let shuffleBuffer, !(1...10_000_000).contains(shuffleBuffer) {
      throw ValidationError("--shuffle-buffer is \(shuffleBuffer); it must lie in 1...10000000.")
    }
    if let minutes, !(minutes > 0 && minutes.isFinite) {
      throw ValidationError("--minutes is \(minutes); it must be positive.")
    }
    if !(checkpointMinutes > 0 && checkpointMinutes.isFinite) {
      throw ValidationError("--checkpoint-minutes is \(checkpointMinutes); it must be positive.")
    }
    if !(1...10_000).contains(keepCheckpoints) {
      throw ValidationError("--keep-checkpoints is \(keepCheckpoints); it must lie in 1...10000.")
    }
    if keepBest, family == Family.gan.rawValue {
      throw ValidationError(
        "--keep-best needs a measure that tells the better network, and the players of a gan have "
          + "none; leave it away.")
    }
    if !(rankTimeout >= 1 && rankTimeout <= 86_400) {
      throw ValidationError("--rank-timeout is \(rankTimeout); it must lie in 1...86400.")
    }
    if dryRun, resume {
      throw ValidationError("--dry-run is about a new run; leave --resume away.")
    }
    if keepEvery < 0 {
      throw ValidationError("--keep-every is \(keepEvery); it must not be negative.")
    }
    if resume, out == nil { throw ValidationError("--resume needs --out, the run to go on with.") }
    if resume, force { throw ValidationError("--resume goes on with a run, --force replaces it.") }
    if !resume, data == nil {
      throw ValidationError("--data is missing: name a data set (`latent datasets`) or a path.")
    }
  }

  mutating func run() throws {
    guard let family = Family(rawValue: family) else {
      let names = Family.allCases.map(\.rawValue)
      let near = nearestName(to: family, among: names).map { "; did you mean \($0)?" } ?? "."
      throw ValidationError(
        "There is no family \"\(family)\"\(near) The families are \(names.joined(separator: ", "))."
      )
    }
    let launch = try Launch()
    let device = try compute.start(launch)
    // What a training would take is told once.
    if let launch, dryRun, launch.rank > 0 { return }
    var ranks = Ranks.alone
    if let launch, !dryRun { ranks = try Ranks(launch, timeout: rankTimeout) }
    // Where none was given all draw rank 0's.
    let common = try ranks.first(of: seed.value)
    seed.seed = seed.seed ?? (resume ? nil : common)
    var plan =
      resume
      ? try TrainingPlan(resuming: RunFolder(path: out ?? ""), family: family, self)
      : try TrainingPlan(new: family, self)
    if ranks.isFirst {
      for note in plan.notes + plan.notes(for: ranks) { output.talk("note: \(note)") }
      if plan.precision == .bf16x3, device != .cpu || !Runtime.hasMatrixUnit {
        output.talk("note: bf16x3 needs a processor's matrix unit; here products are float32's")
      }
    }
    if !resume, let first = try AutoencoderFirst(plan, self) {
      guard !dryRun else {
        throw CommandError("--dry-run needs an autoencoder; name one with --autoencoder")
      }
      output.talk("the autoencoder first, in \(first.run.path)")
      let ended = try first.execute(
        device: device, observers: output.quiet ? [] : [ProgressObserver()], ranks: ranks)
      if let ended {
        if ranks.isFirst { try output.report(ended.json, lines: ended.lines) }
        throw ExitCode(128 + (ended.signalNumber ?? SIGINT))
      }
      set.append("autoencoder=\(first.run.path)")
      plan = try TrainingPlan(new: family, self, budget: first.rest)
    }
    if dryRun {
      let trial = try plan.tryOut(device: device)
      return try output.report(trial.json, lines: trial.lines)
    }
    let outcome = try plan.execute(
      device: device, observers: output.quiet ? [] : [ProgressObserver()], ranks: ranks)
    if ranks.isFirst { try output.report(outcome.json, lines: outcome.lines) }
    if let signal = outcome.signalNumber { throw ExitCode(128 + signal) }
  }

  /// When checkpoints are written, by the flags.
  var checkpoints: CheckpointPlan {
    var plan = CheckpointPlan()
    plan.seconds = 60 * checkpointMinutes
    (plan.retention.newest, plan.retention.every) = (keepCheckpoints, keepEvery)
    plan.keepsBest = keepBest
    return plan
  }

  /// The length that the flags ask for, if they do.
  var budget: TrainingBudget? {
    steps.map(TrainingBudget.steps) ?? epochs.map(TrainingBudget.epochs)
      ?? minutes.map(TrainingBudget.minutes)
  }
}

extension Precision: ExpressibleByArgument {}
