import Diffusion
import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Training

/// What a training of a diffusion model leaves, and how it goes on.
@Suite struct DiffusionRunTests {
  private static func recipe(_ change: (inout DiffusionRecipe) -> Void = { _ in })
    -> DiffusionRecipe
  {
    var recipe = DiffusionRecipe()
    (recipe.blockOutChannels, recipe.attentionLevels) = ([4, 8], [1])
    (recipe.attentionHeadDim, recipe.normNumGroups) = (4, 2)
    (recipe.batchSize, recipe.lrWarmupSteps, recipe.numTrainTimesteps) = (8, 3, 50)
    change(&recipe)
    return recipe
  }

  /// A training on 20 small discs of two classes: three batches of 8, 8 and 4.
  private func trainer(
    _ recipe: DiffusionRecipe, from position: TrainingPosition = TrainingPosition()
  ) throws -> DiffusionTrainer {
    let set = discs(count: 20, channels: 1, size: 8, classes: 2)
    return try DiffusionTrainer(recipe, train: set, test: set, seed: 3, from: position)
  }

  private func session(
    _ folder: String, _ trainer: DiffusionTrainer, _ observer: Recorder,
    from position: TrainingPosition = TrainingPosition(), checkpoints: CheckpointPlan = .atTheEnd
  ) -> TrainingSession {
    TrainingSession(
      run: RunFolder(path: folder), budget: .steps(8), stepsPerEpoch: trainer.stepsPerEpoch,
      observers: [observer], from: position, checkpoints: checkpoints, sheets: 0,
      reportSeconds: 0)
  }

  /// Stopped and resumed, dropout included, the weights and the draws are those of one go.
  @Test(arguments: [1, 3, 5])
  func aResumeIsExact(_ stop: Int) throws {
    let recipe = Self.recipe { $0.dropout = 0.1 }
    try withScratchFolder { folder in
      let whole = try trainer(recipe)
      try whole.train(session("\(folder)/whole", whole, Recorder()))

      let killed = try trainer(recipe)
      let run = RunFolder(path: "\(folder)/run")
      try run.create(replacing: false)
      let before = Recorder { event in
        if case .checkpointed(let step, _) = event { step == stop } else { false }
      }
      #expect(throws: Recorder.Stop.self) {
        try killed.train(session(run.path, killed, before, checkpoints: .everyStep))
      }
      let checkpoint = try #require(Checkpoint.newest(of: run))
      let position = try checkpoint.position()
      let resumed = try trainer(recipe, from: position)
      try resumed.load(checkpoint)
      try resumed.train(session(run.path, resumed, Recorder(), from: position))
      for (a, b) in zip(whole.checkpointState, resumed.checkpointState) {
        #expect(a.file == b.file && a.state.map(\.key) == b.state.map(\.key))
        for (x, y) in zip(a.state, b.state) {
          expectEqual(y.tensor, x.tensor, "\(a.file) \(x.key), stopped after \(stop)")
        }
      }
    }
  }

  @Test func theFolderHoldsTheAveragesAndTheClasses() throws {
    try withScratchFolder { folder in
      let run = RunFolder(path: "\(folder)/run")
      try run.create(replacing: false)
      let trainer = try trainer(Self.recipe { $0.emaDecay = 0.9 })
      let session = session(run.path, trainer, Recorder())
      try trainer.train(session)
      let measures = try session.finish(trainer)
      #expect(measures.map(\.name) == ["loss"] && measures[0].value > 0)
      #expect(try trainer.validate().map(\.value) == measures.map(\.value))

      let pipeline = try DiffusionPipeline(folder: run.path)
      #expect(pipeline.classNames == ["class 0", "class 1"] && pipeline.nullClass == 2)
      #expect(pipeline.scheduler.schedulerClass == .ddpm)
      let averages = Dictionary(
        uniqueKeysWithValues: trainer.learning.average.state.map { ($0.key, $0.tensor) })
      for (key, tensor) in pipeline.unet.state {
        expectEqual(tensor, try #require(averages[key]), key)
      }
      #expect(trainer.network.isTraining)
      let sheet = try trainer.sheet()
      #expect(sheet.width > 6 * 8 && sheet.height > 4 * 8)
    }
  }

  @Test func recipesGoRoundAndFit() throws {
    for preset in DiffusionRecipe.presets(of: .diffusion) {
      let recipe = preset.recipe
      #expect(recipe.problem == nil, "\(preset.name)")
      let size = preset.name == "unet-64" ? 64 : 28
      let network = recipe.network(imageSize: size, channels: 1, classes: 10)
      #expect(network.problem == nil, "\(preset.name)")
      #expect(network.problem(forHeight: size, width: size) == nil, "\(preset.name)")
      let decoded: DiffusionRecipe = try JSON(encoding: recipe).decode()
      #expect(decoded == recipe)
    }
  }

  static let problems: [(part: String, change: @Sendable (inout DiffusionRecipe) -> Void)] = [
    ("num_train_timesteps is 1", { $0.numTrainTimesteps = 1 }),
    ("beta_start", { $0.betaStart = 0 }), ("beta_end", { $0.betaEnd = 1.5 }),
    ("dropout is 1.0", { $0.dropout = 1 }),
    ("condition_dropout is -0.1", { $0.conditionDropout = -0.1 }),
    ("attention_levels names the level 3", { $0.attentionLevels = [3] }),
    ("a flow has no steps", { ($0.predictionType, $0.learnedVariance) = (.flow, true) }),
    ("min_snr_gamma weighs", { ($0.predictionType, $0.minSnrGamma) = (.flow, 5) }),
    ("a flow has no betas", { ($0.predictionType, $0.rescaleBetasZeroSnr) = (.flow, true) }),
    ("with rescale_betas_zero_snr", { $0.rescaleBetasZeroSnr = true }),
    ("batch_size is 0", { $0.batchSize = 0 }), ("min_snr_gamma is -1", { $0.minSnrGamma = -1 }),
    ("offset_noise is nan", { $0.offsetNoise = .nan }),
    ("bound_weight is -2", { $0.boundWeight = -2 }),
    ("learning_rate is 0", { $0.learningRate = 0 }),
  ]

  @Test(arguments: problems.indices)
  func whatCannotBeTrainedIsExplained(_ place: Int) throws {
    let (part, change) = Self.problems[place]
    let recipe = Self.recipe(change)
    #expect(recipe.problem?.contains(part) == true, "\(recipe.problem ?? "no problem")")
    #expect(throws: TrainingError.self) { try trainer(recipe) }
  }

  @Test func picturesThatCannotBeHalvedAreRefused() {
    let set = discs(count: 4, channels: 1, size: 9)
    let error = #expect(throws: TrainingError.self) {
      try DiffusionTrainer(Self.recipe(), train: set, test: set, seed: 0)
    }
    #expect(
      error?.sentence
        == "a height of 9 does not fit a network of 2 levels; it must be a multiple of 2.")
  }

  /// Without hidden classes there is nothing to be guided away from.
  @Test func guidanceNeedsHiddenClasses() throws {
    #expect(
      Self.recipe { $0.conditionDropout = 0 }.network(imageSize: 8, channels: 1, classes: 5)
        .numClassEmbeds == 5)
    #expect(
      Self.recipe().network(imageSize: 8, channels: 1, classes: 5).numClassEmbeds == 6)
    #expect(Self.recipe().network(imageSize: 8, channels: 1, classes: 0).numClassEmbeds == nil)
  }
}
