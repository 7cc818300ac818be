import Datasets
import Diffusion
import Evaluation
import Foundation
import Interchange
import Models
import TestSupport
import Torch
import Training

/// Real trainings at small size, as `latent train` does them, for diagnoses to look at.
struct SmallRuns {
  let training: StoredImages
  let held: StoredImages

  /// Grey shapes of `side` pixels: the first `count` training pictures, and 1000 others.
  init(side: Int, count: Int = 2000) throws {
    training = try Self.shapes(.train, side, count)
    held = try Self.shapes(.test, side, 1000)
  }

  private static func shapes(_ split: Split, _ side: Int, _ count: Int) throws -> StoredImages {
    let set = try DatasetCatalog.open("shapes", split: split, imageSize: side, channels: 1)
    let pictures = (try set.pictures(0..<count) * 255).round().to(.uint8)
    return StoredImages(
      name: "shapes", samples: pictures.elements(), elementShape: set.elementShape,
      labels: (0..<count).map { set.label(at: $0) ?? 0 }, classNames: set.classNames)
  }

  /// Trains in a folder and gives it.
  func train<Recipe: TrainingRecipe>(
    _ family: Family, _ recipe: Recipe, steps: Int, in path: String
  ) throws -> RunFolder {
    let run = RunFolder(path: path)
    try run.create(replacing: false)
    var record = RunRecord(
      family: family.rawValue, command: [], config: try JSON(encoding: recipe), seed: 3,
      data: .init(
        name: training.name, count: training.count, fingerprint: training.fingerprint,
        imageSize: training.elementShape[1], channels: training.elementShape[0]))
    let trainer = try recipe.trainer(
      of: family, train: training, test: held, seed: 3, device: .cpu, from: TrainingPosition(),
      ranks: .alone)
    let session = TrainingSession(
      run: run, budget: .steps(steps), stepsPerEpoch: trainer.stepsPerEpoch,
      observers: [try MetricsObserver(run: run)], checkpoints: .atTheEnd, sheets: 0,
      reportSeconds: 0.05)
    try trainer.train(session)
    _ = try session.finish(trainer)
    record.status = .finished
    record.steps = session.position.step
    try record.write(to: run)
    return run
  }

  /// Diagnoses the run in a folder, by pixels.
  func diagnose(_ run: RunFolder, samples: Int = 200) throws -> Diagnosis {
    try Diagnosis(
      of: TrainedModels.open(run.path), training: training, held: held,
      .init(samples: samples, features: .pixels, seed: 1))
  }

  /// A small fully connected variational autoencoder.
  static func vae(_ change: (inout AutoencoderRecipe) -> Void = { _ in }) -> AutoencoderRecipe {
    var recipe = AutoencoderRecipe()
    recipe.architecture = .mlp
    (recipe.latentDim, recipe.hiddenDims) = (6, [64])
    (recipe.batchSize, recipe.learningRate, recipe.lrWarmupSteps) = (64, 3e-3, 20)
    recipe.emaDecay = 0.99
    change(&recipe)
    return recipe
  }

  /// A small U-Net that predicts v.
  static func diffusion(_ change: (inout DiffusionRecipe) -> Void = { _ in }) -> DiffusionRecipe {
    var recipe = DiffusionRecipe()
    (recipe.blockOutChannels, recipe.attentionLevels) = ([16, 32], [])
    (recipe.predictionType, recipe.betaSchedule) = (.velocity, .cosine)
    (recipe.numTrainTimesteps, recipe.rescaleBetasZeroSnr) = (100, true)
    (recipe.batchSize, recipe.learningRate, recipe.lrWarmupSteps) = (32, 3e-3, 20)
    (recipe.classConditional, recipe.emaDecay) = (false, 0.99)
    change(&recipe)
    return recipe
  }
}

extension Diagnosis {
  /// The names of the warnings.
  var warnings: [String] { findings.filter { $0.severity == .warning }.map(\.check) }
  /// The names of the notes.
  var notes: [String] { findings.filter { $0.severity == .note }.map(\.check) }
}
