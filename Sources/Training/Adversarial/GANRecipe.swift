import Datasets
import Models
import NeuralNets
import Torch

/// Everything that decides how a generator and a discriminator play, apart from data, seed and
/// length.
public struct GANRecipe: TrainingRecipe {
  // The networks.
  /// The kind of both networks; of points in the plane `mlp`, whatever stands here.
  public var architecture = GANConfig.Architecture.r3gan
  /// Numbers in a code z.
  public var latentDim = 64
  /// Widths of the layers of an `mlp`.
  public var hiddenDims = [128, 128, 128]
  /// Channels of each level, from the full picture down; every level but the last halves it.
  public var blockOutChannels = [64, 128]
  /// Residual blocks a level.
  public var layersPerBlock = 1
  /// Channels of a group of `r3gan`'s 3×3 convolutions; 0: not grouped.
  public var groupSize = 16
  /// Pixels along each side of a place of `r3gan`'s first level.
  public var patchSize = 2
  /// Whether the discriminator's weights are divided by their largest singular value.
  public var spectralNorm = false
  /// Whether the discriminator of `dcgan` has batch normalisation.
  public var discriminatorNorm = true
  /// What the discriminator gives: a score, or a probability by a sigmoid.
  public var discriminatorHead = DiscriminatorHead.score
  /// Whether both networks are told the pictures' classes.
  public var classConditional = false

  // The game.
  /// What the players play for.
  public var loss = AdversarialLoss.relativistic
  /// k, turns of the discriminator for each of the generator.
  public var discriminatorSteps = 1
  /// γ of R1: γ/2 · ‖∇D‖² at real samples.
  public var r1Gamma = 3.0
  /// γ of R2: the same at generated samples.
  public var r2Gamma = 3.0
  /// The weight of WGAN-GP's (‖∇D‖ − 1)² between real and generated samples.
  public var gradientPenalty = 0.0
  /// The weight of DRAGAN's (‖∇D‖ − 1)² around real samples.
  public var draganPenalty = 0.0
  /// Of how many steps one has the penalties, weighed by that number (Karras et al. 2020, "lazy
  /// regularization").
  public var penaltyInterval = 4
  /// The bound of WGAN's clipping of the discriminator's weights; 0 for none.
  public var clip = 0.0
  /// Whether both players see pictures changed at random (DiffAugment), for little data.
  public var diffAugment = false

  // The optimisation.
  /// Which rule changes the weights of both.
  public var optimizer = OptimizerKind.adam
  /// The generator's largest step size.
  public var learningRate = 2e-3
  /// The discriminator's largest step size.
  public var discriminatorLearningRate = 2e-3
  /// β₁ of Adam.
  public var beta1 = 0.0
  /// β₂ of Adam.
  public var beta2 = 0.99
  /// Decay of the weights.
  public var weightDecay = 0.0
  /// The course of both step sizes after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step sizes rise from 0.
  public var lrWarmupSteps = 100
  /// The largest norm of all gradients of a network together; 0 for no limit.
  public var gradientClip = 0.0
  /// The decay of the generator's averaged weights, the ones that are kept.
  public var emaDecay = 0.999
  /// Pictures a turn.
  public var batchSize = 32
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1
  /// Whether pictures are mirrored at random.
  public var flip = false

  /// The default: R3GAN.
  public init() {}

  /// What a discriminator's last layer gives.
  public enum DiscriminatorHead: String, Codable, Sendable, CaseIterable {
    /// A number of any size.
    case score
    /// A number in 0...1.
    case probability
  }

  /// The preset that toy sets of points take when none is named.
  public static let pointsPreset = "r3gan-points"

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<GANRecipe>] {
    [
      Preset("r3gan", "relativistic pairs with R1 and R2, residual networks without normalisation"),
      Preset(
        pointsPreset, "the same for points in the plane; what ring8 and grid25 take by themselves"
      ) { recipe in
        (recipe.architecture, recipe.latentDim) = (.mlp, 4)
        recipe.hiddenDims = Array(repeating: 128, count: 5)
        (recipe.r1Gamma, recipe.r2Gamma, recipe.penaltyInterval) = (0.1, 0.1, 1)
        recipe.batchSize = 128
        (recipe.learningRate, recipe.discriminatorLearningRate) = (2e-3, 2e-3)
      },
      Preset("dcgan", "the classic: strided convolutions, batch normalisation, Adam 2e-4") {
        $0.play(.nonSaturating, on: .dcgan)
      },
      Preset("sngan", "residual networks, spectral normalisation, hinge loss") { recipe in
        recipe.play(.hinge, on: .sngan)
        recipe.spectralNorm = true
      },
      Preset("wgan-gp", "dcgan's networks, the critic's gradient held at length 1") { recipe in
        recipe.play(.wganGP, on: .dcgan)
      },
      Preset("minimax", "the article's game as it was first written, which is prone to collapse") {
        $0.play(.minimax, on: .dcgan)
      },
    ]
  }

  /// The classic settings of a game on some networks.
  private mutating func play(_ game: Game, on networks: GANConfig.Architecture) {
    architecture = networks
    blockOutChannels = [64, 128, 256]
    (beta1, beta2, batchSize, penaltyInterval) = (0.5, 0.999, 64, 1)
    (learningRate, discriminatorLearningRate) = (2e-4, 2e-4)
    lrSchedule = .constant
    lrWarmupSteps = 0
    self.game = game
  }

  /// How weights of the generator are changed.
  public var generatorOptimization: OptimizationSettings {
    optimization(learningRate, emaDecay: emaDecay)
  }

  /// How weights of the discriminator are changed. Its averages are not kept, so they follow at
  /// once.
  public var discriminatorOptimization: OptimizationSettings {
    optimization(discriminatorLearningRate, emaDecay: 0)
  }

  private func optimization(_ rate: Double, emaDecay: Double) -> OptimizationSettings {
    OptimizationSettings(
      optimizer: optimizer, learningRate: rate, weightDecay: weightDecay, lrSchedule: lrSchedule,
      lrWarmupSteps: lrWarmupSteps, gradientClip: gradientClip, emaDecay: emaDecay,
      betas: (beta1, beta2), measuresGradient: true)
  }

  /// The shape of one of both networks for samples of a shape: `[C, H, W]` or `[2]`.
  public func network(
    _ kind: GANConfig.Kind, elementShape: [Int], classes: Int
  ) -> GANConfig {
    let isPoints = elementShape.count == 1
    return GANConfig(
      kind: kind, architecture: isPoints ? .mlp : architecture,
      imageSize: isPoints ? 0 : elementShape[1], channels: elementShape[0], latentDim: latentDim,
      hiddenDims: hiddenDims, blockOutChannels: blockOutChannels, layersPerBlock: layersPerBlock,
      groupSize: groupSize, patchSize: patchSize, classCount: classes,
      spectralNorm: kind == .discriminator && spectralNorm, discriminatorNorm: discriminatorNorm)
  }

  /// Whether the discriminator pays for its slope.
  var hasPenalty: Bool {
    r1Gamma > 0 || r2Gamma > 0 || gradientPenalty > 0 || draganPenalty > 0
  }

  /// The discriminator's output as the loss takes it: a sigmoid of it where `discriminatorHead` says
  /// so and the loss does not have one itself.
  public func read(_ scores: Tensor) -> Tensor {
    discriminatorHead == .probability && loss == .lsgan ? scores.sigmoid() : scores
  }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if !(1...100).contains(discriminatorSteps) {
      return "discriminator_steps (k) is \(discriminatorSteps); the discriminator needs 1 to 100 "
        + "turns for each of the generator"
    }
    if !(1...1000).contains(penaltyInterval) {
      return "penalty_interval is \(penaltyInterval); it must lie in 1...1000"
    }
    if discriminatorHead == .probability, [.wgan, .hinge, .relativistic].contains(loss) {
      return "the loss \(loss.rawValue) needs scores without bounds, and discriminator_head is "
        + "probability, a sigmoid; set it to score"
    }
    if gradientPenalty > 0 || draganPenalty > 0, architecture == .dcgan, discriminatorNorm {
      return "a penalty on each picture's own gradient does not go with batch normalisation, which "
        + "mixes the pictures of a batch; set discriminator_norm to false"
    }
    for (name, value) in [
      ("r1_gamma", r1Gamma), ("r2_gamma", r2Gamma), ("gradient_penalty", gradientPenalty),
      ("dragan_penalty", draganPenalty), ("clip", clip),
    ] {
      if let problem = notNegative(name, value) { return problem }
    }
    if accumulation > 1, spectralNorm || ![.r3gan, .mlp].contains(architecture) {
      return "accumulation is \(accumulation), and batch normalisation and spectral norms would "
        + "see parts of a batch; it goes with the architectures r3gan and mlp without spectral_norm"
    }
    if accumulation > 1, draganPenalty > 0 {
      return "accumulation is \(accumulation), and dragan_penalty goes by the deviation of the "
        + "whole batch; set one of them back"
    }
    return batchSizeProblem(batchSize) ?? BatchParts.problem(accumulation, of: batchSize)
      ?? positive("discriminator_learning_rate", discriminatorLearningRate)
      ?? generatorOptimization.problem
  }

  /// DRAGAN's deviation, and a discriminator's batch normalisation under a penalty: its gradients of
  /// gradients are not exchanged.
  public var batchWideParts: [String] {
    (hasPenalty && discriminatorNorm && architecture == .dcgan
      ? ["the discriminator's batch normalisation"] : [])
      + (draganPenalty > 0 ? ["dragan_penalty"] : [])
  }

  /// What a person should know before the game on this data begins.
  public func notes(on train: any Dataset) -> [String] {
    guard train.elementShape.count == 3 else { return [] }
    if train.count < batchSize {
      return [
        "\(train.name) has \(train.count) pictures, fewer than a batch of \(batchSize), so every "
          + "batch holds all of them; the discriminator will learn them by heart: set "
          + "diff_augment=true"
      ]
    }
    if train.count < 2000, !diffAugment {
      return [
        "\(train.name) has only \(train.count) pictures; with diff_augment=true the discriminator "
          + "learns them by heart more slowly"
      ]
    }
    return []
  }

  /// The trainer of both networks.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try GANTrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}

// MARK: - Games

extension GANRecipe {
  /// A loss with the penalties and turns that its paper gives it: what `--loss` takes.
  public enum Game: String, CaseIterable, Sendable {
    /// The minimax game whose generator's loss saturates (Goodfellow et al. 2014, eq. 1).
    case minimax
    /// The same discriminator; the generator raises log D(G(z)) (Goodfellow et al. 2014, section 3).
    case nonSaturating = "non-saturating"
    /// Least squares (Mao et al. 2017).
    case lsgan
    /// Wasserstein distance by a critic with clipped weights (Arjovsky et al. 2017).
    case wgan
    /// Wasserstein distance with a gradient penalty (Gulrajani et al. 2017).
    case wganGP = "wgan-gp"
    /// Hinge (Lim & Ye 2017; Miyato et al. 2018).
    case hinge
    /// Non-saturating with a penalty around the data (Kodali et al. 2017).
    case dragan
    /// Relativistic pairs with R1 and R2 (Huang et al. 2024).
    case r3gan

    /// What the game is, in a few words.
    public var summary: String {
      switch self {
      case .minimax: "as first written; the generator's gradient saturates"
      case .nonSaturating: "the generator raises log D(G(z)) instead"
      case .lsgan: "least squares"
      case .wgan: "Wasserstein distance, the critic's weights clipped"
      case .wganGP: "Wasserstein distance, the critic's gradient held at length 1"
      case .hinge: "hinge"
      case .dragan: "non-saturating, the gradient held at length 1 around the data"
      case .r3gan: "relativistic pairs with R1 and R2"
      }
    }
  }

  /// The game that the settings make, where they are those of one.
  public var game: Game? {
    get {
      Game.allCases.first { game in
        var other = self
        other.game = game
        return other == self
      }
    }
    set {
      guard let newValue else { return }
      let (r1, r2) = (r1Gamma > 0 ? r1Gamma : 3, r2Gamma > 0 ? r2Gamma : 3)
      (r1Gamma, r2Gamma, gradientPenalty, draganPenalty, clip) = (0, 0, 0, 0, 0)
      (discriminatorSteps, optimizer) = (1, .adam)
      switch newValue {
      case .minimax: loss = .minimax
      case .nonSaturating: loss = .nonSaturating
      case .lsgan: loss = .lsgan
      case .hinge: loss = .hinge
      case .wgan:
        (loss, discriminatorSteps, clip, optimizer) = (.wgan, 5, 0.01, .rmsprop)
        (learningRate, discriminatorLearningRate) = (5e-5, 5e-5)
      case .wganGP:
        (loss, discriminatorSteps, gradientPenalty, penaltyInterval) = (.wgan, 5, 10, 1)
        (beta1, beta2, discriminatorNorm) = (0, 0.9, false)
        (learningRate, discriminatorLearningRate) = (1e-4, 1e-4)
      case .dragan:
        (loss, draganPenalty, penaltyInterval) = (.nonSaturating, 10, 1)
        discriminatorNorm = false
      case .r3gan: (loss, r1Gamma, r2Gamma, discriminatorNorm) = (.relativistic, r1, r2, false)
      }
    }
  }
}
