import ArgumentParser
import Datasets
import Evaluation
import Foundation
import Interchange
import Torch
import Training

/// A training with everything decided: recipe, data, folder, length.
struct TrainingPlan {
  let family: Family
  let recipe: any TrainingRecipe
  let train: any Dataset
  let test: any Dataset
  let seed: UInt64
  let budget: TrainingBudget
  let run: RunFolder
  private(set) var record: RunRecord
  /// What a person should know before the training begins, a sentence each.
  private(set) var notes: [String] = []
  let precision: Precision
  private let checkpoint: Checkpoint?
  private let checkpoints: CheckpointPlan
  private let replacing: Bool

  /// A new run of the tool itself, such as the quickstart's.
  init(
    _ family: Family, recipe: any TrainingRecipe, data: String, imageSize: Int? = nil,
    channels: Int? = nil, shuffleBuffer: Int? = nil, seed: UInt64, budget: TrainingBudget,
    run: RunFolder, replacing: Bool, checkpoints: CheckpointPlan = CheckpointPlan(),
    precision: Precision = .fp32
  ) throws {
    self.family = family
    self.precision = precision
    self.recipe = recipe
    self.seed = seed
    self.budget = budget
    self.run = run
    self.replacing = replacing
    self.checkpoints = checkpoints
    checkpoint = nil
    train = try Self.open(
      data, imageSize: imageSize, channels: channels, shuffleBuffer: shuffleBuffer)
    test = try DatasetCatalog.open(data, split: .test, imageSize: imageSize, channels: channels)
    record = RunRecord(
      family: family.rawValue, command: CommandLine.arguments,
      config: try JSON(encoding: recipe), seed: seed,
      data: .init(
        name: data, count: train.count, fingerprint: train.fingerprint,
        imageSize: train.elementShape.count == 1 ? 0 : train.elementShape.last ?? 0,
        channels: train.elementShape[0], classNames: train.classNames))
    if let shards = train as? ShardedImages {
      record.data.shards = RunRecord.DataSource.ShardReading(
        shuffleBuffer: shards.shuffleBuffer, isFitted: shards.isFitted)
    }
    if precision != .fp32 { record.precision = precision }
    notes = train.notes + recipe.notes(on: train)
  }

  /// A new run of the tool itself over the default preset: a gan's `game`, then `settings` as `--set`
  /// takes them.
  init(
    _ family: Family, data: String, game: GANRecipe.Game?, settings: [String], seed: UInt64,
    budget: TrainingBudget, run: RunFolder
  ) throws {
    let preset = try Self.preset(family.recipe, family, nil, data: data)
    let recipe = try Self.changed(Self.playing(game?.rawValue, preset), by: settings)
    try self.init(
      family, recipe: recipe, data: data, seed: seed, budget: budget, run: run, replacing: true)
  }

  /// The part of a set to learn from; `shuffleBuffer` is for shards alone.
  private static func open(
    _ data: String, imageSize: Int?, channels: Int?, shuffleBuffer: Int?
  ) throws -> any Dataset {
    let set = try DatasetCatalog.open(
      data, split: .train, imageSize: imageSize, channels: channels)
    guard let shuffleBuffer else { return set }
    guard var shards = set as? ShardedImages else {
      throw CommandError(
        "\(data): --shuffle-buffer is for tar shards; this set is shuffled as a whole, so leave it "
          + "away")
    }
    shards.shuffleBuffer = shuffleBuffer
    return shards
  }

  private static func changed<Recipe: TrainingRecipe>(
    _ preset: Recipe, by settings: [String]
  ) throws -> any TrainingRecipe {
    var layers = try ConfigLayers(preset: preset)
    for assignment in settings {
      try usage { () throws(ConfigError) in try layers.set(assignment) }
    }
    return layers.config
  }

  /// The new run that `latent train` was asked for.
  init(new family: Family, _ command: Train) throws {
    let data = command.data ?? ""
    let preset = try Self.preset(family.recipe, family, command.preset, data: data)
    let recipe = try Self.layered(Self.playing(command.loss, preset), command)
    let run = RunFolder(
      path: command.out
        ?? freeFolder("runs/\(family.rawValue)-\(URL(filePath: data).lastPathComponent)"))
    try self.init(
      family, recipe: recipe, data: data, imageSize: command.imageSize,
      channels: command.channels, shuffleBuffer: command.shuffleBuffer,
      seed: command.seed.value,
      budget: command.budget ?? .minutes(10), run: run, replacing: command.force,
      checkpoints: command.checkpoints, precision: command.precision ?? .fp32)
  }

  /// The run that `latent train --resume` goes on with. Recipe, data and seed are the run's own;
  /// the length may be given anew.
  init(resuming run: RunFolder, family: Family, _ command: Train) throws {
    try self.init(
      goingOnWith: run, family: family, data: command.data, budget: command.budget,
      checkpoints: command.checkpoints
    ) { recipe, record in
      guard try Self.isUnchanged(recipe, by: command, family, data: record.data.name) else {
        throw TrainingError(
          path: run.path,
          "a run goes on with its own settings, and --preset, --loss, --config, --set or "
            + "--batch-size ask for others; leave them away, or start another run.")
      }
      let precision = record.precision ?? .fp32
      guard command.precision ?? precision == precision else {
        throw TrainingError(
          path: run.path,
          "the run is trained in \(precision.rawValue); leave --precision away, or start another run."
        )
      }
      let (size, channels) = (record.data.imageSize, record.data.channels)
      guard command.imageSize ?? size == size, command.channels ?? channels == channels,
        command.seed.seed ?? record.seed == record.seed
      else {
        throw TrainingError(
          path: run.path,
          "the run has \(channels) channels of \(size)×\(size) pixels and the seed \(record.seed); "
            + "leave --image-size, --channels and --seed away, or start another run.")
      }
      let buffer = record.data.shards?.shuffleBuffer
      guard command.shuffleBuffer ?? buffer == buffer else {
        throw TrainingError(
          path: run.path,
          "the run has "
            + (buffer.map { "a shuffle buffer of \($0)" } ?? "no shuffle buffer")
            + "; leave --shuffle-buffer away, or start another run.")
      }
    }
  }

  /// A run from its newest whole checkpoint, with its own recipe, data, seed and, unless `budget`
  /// says otherwise, length; `check` may refuse it.
  init(
    goingOnWith run: RunFolder, family: Family, data: String? = nil, budget: TrainingBudget? = nil,
    checkpoints: CheckpointPlan = CheckpointPlan(),
    check: (any TrainingRecipe, RunRecord) throws -> Void = { _, _ in }
  ) throws {
    var record = try RunRecord(of: run)
    guard record.family == family.rawValue else {
      throw TrainingError(
        path: run.path, "this is a run of the family \(record.family), not of \(family.rawValue).")
    }
    var damaged: [String] = []
    let whole = Checkpoint.newestWhole(of: run) { damaged.append("\($0.path): \($1)") }
    guard let checkpoint = whole else {
      throw TrainingError(
        path: run.path,
        (damaged.isEmpty
          ? "this run has no checkpoint to go on from"
          : "none of this run's checkpoints is whole (\(damaged.joined(separator: "; ")))")
          + "; start it anew with --force.")
    }
    let recipe: any TrainingRecipe
    do {
      recipe = try Self.recorded(family.recipe, record.config)
    } catch {
      throw TrainingError(path: run.recordPath, error.sentence)
    }
    try check(recipe, record)
    let (size, channels) = (record.data.imageSize, record.data.channels)
    let data = data ?? record.data.name
    let reading = record.data.shards
    let side = reading?.isFitted == false ? nil : size
    train = try Self.open(
      data, imageSize: side, channels: channels, shuffleBuffer: reading?.shuffleBuffer)
    test = try DatasetCatalog.open(data, split: .test, imageSize: side, channels: channels)
    guard train.fingerprint == record.data.fingerprint else {
      throw TrainingError(
        path: data,
        "this is not the data that the run began with (its fingerprint differs); "
          + "start another run.")
    }
    guard let budget = budget ?? record.budget else {
      throw TrainingError(path: run.recordPath, "the run's length is missing; pass --steps.")
    }
    record.status = .running
    notes =
      damaged.map { "\($0); going on from step \(checkpoint.step)" } + train.notes
      + recipe.notes(on: train)
    self.checkpoints = checkpoints
    precision = record.precision ?? .fp32
    self.family = family
    self.recipe = recipe
    self.seed = record.seed
    self.budget = budget
    self.run = run
    self.record = record
    self.checkpoint = checkpoint
    replacing = false
  }

  private static func preset<Recipe: TrainingRecipe>(
    _ type: Recipe.Type, _ family: Family, _ name: String?, data: String
  ) throws -> any TrainingRecipe {
    let isToy = family == .gan && PointMixture.named(data, split: .train) != nil
    let name = name ?? (isToy ? GANRecipe.pointsPreset : nil)
    return try usage { () throws(ConfigError) in try Recipe(preset: name, family: family) }
  }

  /// The preset with the game that `--loss` names.
  private static func playing(
    _ loss: String?, _ preset: any TrainingRecipe
  ) throws -> any TrainingRecipe {
    guard let loss else { return preset }
    guard var recipe = preset as? GANRecipe else {
      throw ValidationError("--loss names the game of a gan; other families have none.")
    }
    guard let game = GANRecipe.Game(rawValue: loss) else {
      let names = GANRecipe.Game.allCases.map(\.rawValue)
      let near = nearestName(to: loss, among: names).map { "; did you mean \($0)?" } ?? ";"
      throw ValidationError(
        "There is no loss \"\(loss)\"\(near) The losses are \(names.joined(separator: ", ")).")
    }
    recipe.game = game
    return recipe
  }

  private static func recorded<Recipe: TrainingRecipe>(
    _ type: Recipe.Type, _ config: JSON
  ) throws(JSONError) -> any TrainingRecipe {
    try Recipe(recorded: config)
  }

  /// Whether the command asks for the recipe that a run has: by a preset and what is over it, or by
  /// single settings that the run has too.
  private static func isUnchanged(
    _ recipe: any TrainingRecipe, by command: Train, _ family: Family, data: String
  ) throws -> Bool {
    var start = recipe
    if command.preset != nil || command.loss != nil {
      start = try playing(
        command.loss, preset(family.recipe, family, command.preset, data: data))
    }
    return try JSON(encoding: layered(start, command)) == JSON(encoding: recipe)
  }

  /// A preset with the file and the flags of the command over it.
  private static func layered<Recipe: TrainingRecipe>(
    _ preset: Recipe, _ command: Train
  ) throws -> Recipe {
    var layers = try ConfigLayers(preset: preset)
    if let file = command.config { try layers.overlay(file: file) }
    for assignment in command.set {
      try usage { () throws(ConfigError) in try layers.set(assignment) }
    }
    if let batchSize = command.batchSize { try layers.set("batch_size=\(batchSize)") }
    return layers.config
  }

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
    if device == .cpu, let available = MemoryNeed.available.map({ $0 / ranks.localCount }),
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
    lines.append(
      session.isInterrupted
        ? "interrupted; go on with: latent train \(family.rawValue) --out \(run.path) --resume"
        : family == .classifier
          ? "next        latent evaluate \(run.path)"
          : "next        latent sample \(run.path) -o samples.png")
    return Outcome(json: json, lines: lines, signalNumber: session.signalNumber)
  }
}

/// Does what a flag asks for; a flag that does not fit is a wrong usage.
private func usage<R>(_ body: () throws(ConfigError) -> R) throws -> R {
  do {
    return try body()
  } catch {
    throw ValidationError(error.description)
  }
}
