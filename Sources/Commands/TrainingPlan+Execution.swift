import Datasets
import Evaluation
import Foundation
import Interchange
import Torch
import Training

extension TrainingPlan {
  /// What a training left behind.
  struct Outcome {
    let json: JSONObject
    let lines: [String]
    /// What ended it before its time, if something did.
    let signalNumber: Int32?
  }

  /// The trainer at a position. Throws what making it throws, and `TrainingError` when its state will
  /// not fit into memory.
  func makeTrainer(
    device: Device, from position: TrainingPosition, ranks: Ranks = .alone
  ) throws -> any Trainer {
    let trainer = try recipe.trainer(
      of: family, train: train, test: test, seed: seed, device: device, from: position,
      ranks: ranks)
    if device == .cpu, let available = FreeMemory.bytes.map({ $0 / ranks.localCount }),
      let problem = MemoryNeed(parameters: trainer.parameterCount).problem(available: available)
    {
      throw TrainingError(problem)
    }
    return trainer
  }

  /// What depends on how many train together, for a person.
  func notes(for ranks: Ranks) -> [String] {
    guard ranks.count > 1, !recipe.batchWideParts.isEmpty else { return [] }
    return [
      "each rank goes by its own pictures for \(recipe.batchWideParts.joined(separator: " and ")), "
        + "so this training depends on how many ranks share it"
    ]
  }

  /// What ranks that train together have to have in common.
  private func requireSame(_ ranks: Ranks, at position: TrainingPosition) throws {
    try ranks.requireSame([
      ("family", family.rawValue), ("settings", JSON(encoding: recipe).compact),
      ("data", train.fingerprint),
      ("shuffle buffer", "\((train as? ShardedImages)?.shuffleBuffer ?? 0)"), ("seed", "\(seed)"),
      ("length", "\(budget)"),
      ("precision", precision.rawValue), ("checkpoint", "step \(position.step)"),
    ])
    let batchSize = min(recipe.batchSize, train.count)
    guard batchSize >= ranks.count else {
      throw TrainingError(
        path: train.name,
        "a batch of \(batchSize) cannot be shared by \(ranks.count) ranks; start fewer of them or "
          + "choose a larger --batch-size.")
    }
  }

  /// Trains, and writes the record at the beginning and at the end. Of several ranks that train
  /// together rank 0 alone writes.
  func execute(
    device: Device, observers: [any TrainingObserver], ranks: Ranks = .alone
  ) throws -> Outcome {
    let position = try checkpoint?.position() ?? TrainingPosition()
    try requireSame(ranks, at: position)
    let trainer = try makeTrainer(device: device, from: position, ranks: ranks)
    if let checkpoint { try trainer.load(checkpoint) }
    try ranks.share(trainer.checkpointState)
    guard ranks.isFirst else {
      Interruption.listen()
      let session = session(trainer, from: position, observers: [], ranks: ranks)
      try precision { try trainer.train(session) }
      // A launcher that sees one rank end may end the others: rank 0 writes first.
      ranks.meet()
      return outcome(session, trainer, [])
    }
    if checkpoint == nil { try run.create(replacing: replacing) }
    let lock = try RunLock(run)
    defer { withExtendedLifetime(lock) {} }
    Checkpoint.removeRemains(of: run)
    var record = record
    record.budget = budget
    let logs: [any TrainingObserver]
    do {
      try record.write(to: run)
      if checkpoint != nil { try MetricsLog.rewind(run.metricsPath, toStep: position.step) }
      logs = try [MetricsObserver(run: run), TensorBoardObserver(run: run)]
    } catch {
      if checkpoint == nil { run.remove() }
      throw error
    }

    Interruption.listen()
    let watch = try (recipe as? GANRecipe).map {
      try AdversarialWatch(over: $0, data: record.data.name, training: train, held: test)
    }
    let session = session(
      trainer, from: position, observers: observers + logs, watch: watch, ranks: ranks)
    let measures: [(name: String, value: Double)]
    do {
      try precision { try trainer.train(session) }
      measures = try session.finish(trainer)
    } catch {
      // Nothing can go on from a run that failed before its first checkpoint.
      if Checkpoint.newest(of: run) == nil { run.remove() }
      throw error
    }

    record.status = session.isInterrupted ? .interrupted : .finished
    record.steps = session.position.step
    record.seconds = session.position.seconds
    record.result = Dictionary(uniqueKeysWithValues: measures.map { ($0.name, $0.value) })
    try record.write(to: run)
    ranks.meet()
    return outcome(session, trainer, measures)
  }

  private func session(
    _ trainer: any Trainer, from position: TrainingPosition, observers: [any TrainingObserver],
    watch: (any TrainingWatch)? = nil, ranks: Ranks
  ) -> TrainingSession {
    TrainingSession(
      run: run, budget: budget, stepsPerEpoch: trainer.stepsPerEpoch, observers: observers,
      watch: watch, from: position, checkpoints: checkpoints, sheets: trainer.sheetCount,
      ranks: ranks)
  }

  private func outcome(
    _ session: TrainingSession, _ trainer: any Trainer,
    _ measures: [(name: String, value: Double)]
  ) -> Outcome {
    let parameters = trainer.parameterCount
    let rate = session.imagesPerSecond
    var json: JSONObject = [
      "run": .string(run.path), "family": .string(family.rawValue), "seed": .int(Int(seed)),
      "steps": .int(session.position.step), "seconds": .double(session.position.seconds),
      "images_per_second": .double(rate), "parameters": .int(parameters),
      "interrupted": .bool(session.isInterrupted), "ranks": .int(session.ranks.count),
      "checkpoint_pause_seconds": .double(session.checkpointPause),
      "data_wait": .double(session.dataWait),
    ]
    let damaged = trainer.loader.damagedCount
    if train is ShardedImages { json["damaged_samples"] = .int(damaged) }
    for (name, value) in measures { json[name] = .double(value) }
    var lines = [
      "run         \(run.path)  (seed \(seed))",
      "network     \(parameters) parameters",
      "training    \(session.position.step) steps in \(clock(session.position.seconds)), "
        + "\(Int(rate)) pictures/s",
    ]
    if damaged > 0 {
      lines.append("data        \(damaged) damaged samples, with others in their place")
    }
    if !measures.isEmpty {
      lines.append(
        "held out    "
          + measures.map { "\($0.name) \(String(format: "%.4g", $0.value))" }
          .joined(separator: ", "))
    }
    let next =
      switch family {
      case .classifier: "evaluate \(run.path)"
      case .autoencoderKL: "reconstruct \(run.path) -o reconstructions.png"
      case .lora:
        "generate \"…\" --model \((recipe as? LoRARecipe)?.model ?? "MODEL") --lora \(run.path)"
      case .latentDiffusion: "generate \"…\" --model \(run.path)"
      case .ae, .vae, .vaeGAN, .gan, .diffusion: "sample \(run.path) -o samples.png"
      }
    lines.append(
      session.isInterrupted
        ? "interrupted; go on with: latent train \(family.rawValue) --out \(run.path) --resume"
        : "next        latent \(next)")
    return Outcome(json: json, lines: lines, signalNumber: session.signalNumber)
  }
}
