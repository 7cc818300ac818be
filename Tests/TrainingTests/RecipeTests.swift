import Datasets
import Interchange
import Models
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Training

@Suite struct RecipeTests {
  @Test func recipesGoRoundAsJSON() throws {
    for family in [Family.ae, .vae] {
      let kind = try #require(family.autoencoderKind)
      for preset in AutoencoderRecipe.presets(of: family) {
        let recipe = try AutoencoderRecipe(preset: preset.name, family: family)
        #expect(recipe.problem == nil)
        #expect(recipe.network(kind, imageSize: 28, channels: 1).problem == nil)
        let decoded: AutoencoderRecipe = try JSON(encoding: recipe).decode()
        #expect(decoded == recipe)
      }
    }
  }

  @Test func theClassicPresetIsTheClassicNetwork() throws {
    let recipe = try AutoencoderRecipe(preset: "mlp", family: .vae)
    let network = Autoencoder(recipe.network(.variational, imageSize: 28, channels: 1), using: nil)
    #expect(network.parameterCount == 652_824)
    #expect(recipe.learningRate == 1e-3 && recipe.batchSize == 128 && recipe.beta == 1)
  }

  @Test func anUnknownPresetNamesTheNearest() {
    let error = #expect(throws: ConfigError.self) {
      try AutoencoderRecipe(preset: "conf", family: .ae)
    }
    #expect(
      error?.sentence == "there is no preset \"conf\" for this family; did you mean conv? "
        + "the presets are conv, mlp, map.")
  }

  static let problems: [(sentence: String, change: @Sendable (inout AutoencoderRecipe) -> Void)] = [
    ("batch_size is 0; it must lie in 1...65536", { $0.batchSize = 0 }),
    ("ema_decay is 1.0; it must lie in 0..<1", { $0.emaDecay = 1 }),
    ("learning_rate is 0.0; it must be positive", { $0.learningRate = 0 }),
    ("sigma is nan; it must be positive", { $0.sigma = .nan }),
    ("beta is -1.0; it must not be negative", { $0.beta = -1 }),
    ("free_bits is inf; it must not be negative", { $0.freeBits = .infinity }),
    ("kl_warmup is 1.5; it must lie in 0...1", { $0.klWarmup = 1.5 }),
    ("lr_warmup_steps is -3.0; it must not be negative", { $0.lrWarmupSteps = -3 }),
    ("latent_dim is 0; it must lie in 1...65536", { $0.latentDim = 0 }),
  ]

  @Test(arguments: problems.indices)
  func aTrainingRefusesABadRecipe(_ place: Int) {
    let (sentence, change) = Self.problems[place]
    let error = #expect(throws: TrainingError.self) {
      try AutoencoderTraining.small(recipe: smallRecipe(change))
    }
    #expect(error?.sentence == "\(sentence).")
  }

  @Test func aTrainingRefusesWhatItCannotLearn() {
    func sentence(_ set: any Dataset) -> String? {
      #expect(throws: TrainingError.self) {
        try AutoencoderTraining(
          .variational, recipe: smallRecipe(), train: set, test: set, seed: 1)
      }?.sentence
    }
    #expect(
      sentence(PointMixture.ring8(split: .train))
        == "this family learns pictures, but these are points in the plane.")
    let wide = StoredImages(
      name: "wide", samples: .init(repeating: 0, count: 24), elementShape: [1, 4, 6])
    #expect(
      sentence(wide) == "the pictures are 6×4; the networks are square, so pass --image-size.")
  }

  @Test(arguments: OptimizerKind.allCases)
  func everyOptimizerLearns(_ kind: OptimizerKind) throws {
    let recipe = smallRecipe {
      $0.optimizer = kind
      $0.learningRate = kind == .sgd ? 1e-4 : 3e-3
      $0.lrSchedule = .constant
    }
    let trainer = AutoencoderTrainer(try .small(.deterministic, recipe: recipe))
    let recorder = Recorder()
    try withScratchFolder { folder in
      try trainer.train(
        TrainingSession(
          run: RunFolder(path: folder), budget: .epochs(30), stepsPerEpoch: 3,
          observers: [recorder], sheets: 0, reportSeconds: 0))
    }
    let losses = recorder.reports.map { $0.metrics[0].value }
    #expect(losses.count == 90)
    let (first, last) = (losses.prefix(6).reduce(0, +), losses.suffix(6).reduce(0, +))
    #expect(last < 0.97 * first)
  }
}
