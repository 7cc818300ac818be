import Datasets
import TestSupport
import Testing
import Torch

@testable import Training

/// A batch in parts has the gradient of the batch.
@Suite(.serialized) struct AccumulationTests {
  static let pictures = discs(count: 64, channels: 1, size: 8, classes: 2)

  static func autoencoder(_ parts: Int) -> AutoencoderRecipe {
    smallRecipe { ($0.batchSize, $0.accumulation, $0.optimizer) = (64, parts, .sgd) }
  }

  static func game(
    _ parts: Int, _ ranks: Ranks, _ change: (inout GANRecipe) -> Void
  ) throws -> GANTrainer {
    var recipe = GANRecipe()
    (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (4, [8], [4, 6])
    (recipe.groupSize, recipe.optimizer) = (0, .sgd)
    (recipe.batchSize, recipe.accumulation) = (64, parts)
    (recipe.learningRate, recipe.discriminatorLearningRate) = (1e-6, 1e-6)
    change(&recipe)
    return try GANTrainer(recipe, train: pictures, test: pictures, seed: 3, ranks: ranks)
  }

  /// A trainer of each family whose batch of 64 goes in `parts`, shared by `ranks`. Steps are so small that the later
  /// player of a game meets the same other one.
  typealias Maker = @Sendable (_ parts: Int, _ ranks: Ranks) throws -> any Trainer
  static let trainers: [(name: String, make: Maker)] = [
    (
      "ae",
      { parts, ranks in
        AutoencoderTrainer(
          try AutoencoderTraining(
            .deterministic, recipe: autoencoder(parts), train: pictures, test: pictures, seed: 3,
            ranks: ranks))
      }
    ),
    (
      "vae",
      { parts, ranks in
        VAETrainer(
          try AutoencoderTraining(
            .variational, recipe: autoencoder(parts), train: pictures, test: pictures, seed: 3,
            ranks: ranks))
      }
    ),
    (
      "vae-gan",
      { parts, ranks in
        var recipe = VAEGANRecipe()
        (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (3, [8], [4])
        (recipe.discriminatorChannels, recipe.r1Gamma) = ([4, 6], 1)
        (recipe.batchSize, recipe.accumulation, recipe.optimizer) = (64, parts, .sgd)
        (recipe.learningRate, recipe.discriminatorLearningRate) = (1e-6, 1e-6)
        return try VAEGANTrainer(
          recipe, train: pictures, test: pictures, seed: 3, ranks: ranks)
      }
    ),
    ("gan", { try game($0, $1) { $0.classConditional = true } }),
    (
      "gan with WGAN-GP's penalty",
      {
        try game($0, $1) {
          ($0.r1Gamma, $0.r2Gamma, $0.gradientPenalty, $0.loss) = (0, 0, 10, .wgan)
        }
      }
    ),
    (
      "diffusion",
      { parts, ranks in
        var recipe = DiffusionRecipe()
        (recipe.blockOutChannels, recipe.attentionLevels) = ([4, 8], [1])
        (recipe.attentionHeadDim, recipe.normNumGroups) = (4, 2)
        (recipe.batchSize, recipe.accumulation, recipe.optimizer) = (64, parts, .sgd)
        return try DiffusionTrainer(
          recipe, train: pictures, test: pictures, seed: 3, ranks: ranks)
      }
    ),
  ]

  /// The gradients of a trainer's first step: what SGD's momentum begins as; with more `steps` the
  /// momentum after them.
  static func firstGradients(
    of trainer: any Trainer, ranks: Ranks = .alone, steps: Int = 1
  ) throws -> [(key: String, tensor: Tensor)] {
    try withScratchFolder { folder in
      let run = RunFolder(path: "\(folder)/run")
      try run.create(replacing: false)
      let session = TrainingSession(
        run: run, budget: .steps(steps), stepsPerEpoch: trainer.stepsPerEpoch, observers: [],
        ranks: ranks)
      try trainer.train(session)
    }
    return trainer.checkpointState.filter { $0.file.hasSuffix("optimizer") }
      .flatMap { file in file.state.map { ("\(file.file) \($0.key)", $0.tensor) } }
      .filter { $0.1.dtype == .float32 && $0.1.rank > 0 }
  }

  /// ‖a − b‖ / ‖b‖ over all tensors together.
  static func relativeDistance(
    _ a: [(key: String, tensor: Tensor)], _ b: [(key: String, tensor: Tensor)]
  ) -> Double {
    let differences = zip(a, b).map { ($0.tensor - $1.tensor).square().sum().item() as Double }
    let sizes = b.map { $0.tensor.square().sum().item() as Double }
    let (difference, size) = (differences.reduce(0, +), sizes.reduce(0, +))
    return size > 0 ? (difference / size).squareRoot() : .infinity
  }

  @Test(arguments: trainers.map(\.name)) func partsAddUpToTheBatch(_ family: String) throws {
    let make = try #require(Self.trainers.first { $0.name == family }).make
    func gradients(_ parts: Int) throws -> [(key: String, tensor: Tensor)] {
      try Self.firstGradients(of: make(parts, .alone))
    }
    let (whole, fourths, sevenths) = (try gradients(1), try gradients(4), try gradients(7))
    #expect(whole.count > 4)
    for parts in [fourths, sevenths] {
      #expect(parts.map(\.key) == whole.map(\.key))
      let distance = Self.relativeDistance(parts, whole)
      #expect(distance < 1e-6, "\(distance)")
    }
  }

  @Test func partsThatDoNotGoAreNamed() throws {
    var recipe = GANRecipe()
    recipe.accumulation = 33
    #expect(recipe.problem?.contains("accumulation is 33; it must lie in 1...32") == true)
    recipe = try GANRecipe(preset: "dcgan", family: .gan)
    recipe.accumulation = 2
    #expect(recipe.problem?.contains("batch normalisation") == true)
    var other = VAEGANRecipe()
    other.accumulation = 2
    #expect(other.problem?.contains("set r1_gamma") == true)
    var autoencoder = AutoencoderRecipe()
    autoencoder.accumulation = 0
    #expect(autoencoder.problem?.contains("accumulation is 0") == true)
    (autoencoder.accumulation, autoencoder.freeBits) = (2, 0.1)
    #expect(autoencoder.problem?.contains("free_bits counts") == true)
    (other.r1Gamma, other.adaptiveWeight) = (1, true)
    #expect(other.problem?.contains("adaptive_weight looks") == true)
    recipe = GANRecipe()
    (recipe.accumulation, recipe.draganPenalty) = (2, 1)
    #expect(recipe.problem?.contains("dragan_penalty goes by") == true)
  }
}
