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
  let checkpoint: Checkpoint?
  let checkpoints: CheckpointPlan
  let replacing: Bool

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

  /// A run on drawn shapes in grey, of which only the first steps are taken.
  init(benchmarking family: Family, preset: String, imageSize: Int, precision: Precision) throws {
    try self.init(
      family, recipe: Self.preset(family.recipe, family, preset, data: "shapes"), data: "shapes",
      imageSize: imageSize, channels: 1, seed: 0, budget: .minutes(1), run: RunFolder(path: ""),
      replacing: false, precision: precision)
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
  init(new family: Family, _ command: Train, budget: TrainingBudget? = nil) throws {
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
      budget: budget ?? command.budget ?? .minutes(10), run: run, replacing: command.force,
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
    if let autoencoder = command.autoencoder {
      try usage { () throws(ConfigError) in try layers.set("autoencoder=\(autoencoder)") }
    }
    if let model = command.model {
      try usage { () throws(ConfigError) in try layers.set("model=\(model)") }
      if !model.isEmpty { try layers.set("model=\(PromptedModel.place(model))") }
    }
    return layers.config
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
