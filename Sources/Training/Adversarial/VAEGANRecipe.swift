import Datasets
import Models
import NeuralNets
import Torch

/// Everything that decides how an autoencoder is trained against a discriminator, apart from data,
/// seed and length.
public struct VAEGANRecipe: TrainingRecipe {
  // The networks.
  /// Numbers in a code.
  public var latentDim = 32
  /// Widths of the fully connected layers beside the code.
  public var hiddenDims = [256]
  /// Channels after each halving of the picture.
  public var blockOutChannels = [32, 64]
  /// Residual blocks after each halving.
  public var layersPerBlock = 0
  /// The nonlinearity between layers.
  public var activation = Activation.Kind.silu
  /// The kind of discriminator: of whole pictures, or of every patch of them.
  public var discriminator = GANConfig.Architecture.dcgan
  /// Channels of each level of the discriminator.
  public var discriminatorChannels = [32, 64, 128]

  // The objective.
  /// In which space pictures and reconstructions are compared.
  public var reconstruction = Reconstruction.features
  /// The weight of the KL term.
  public var beta = 1.0
  /// The share of the training over which the weight of the KL term rises from 0.
  public var klWarmup = 0.0
  /// γ, the weight of the reconstruction beside the game, for the decoder alone.
  public var reconstructionWeight = 1e-2
  /// What the discriminator plays for.
  public var loss = AdversarialLoss.nonSaturating
  /// The weight of the game for the decoder.
  public var adversarialWeight = 1.0
  /// Whether that weight is set anew every step, so that the game and the reconstruction pull at the
  /// decoder's last layer with equal force (Esser et al. 2021, eq. 7).
  public var adaptiveWeight = false
  /// The share of the training before the game begins.
  public var adversarialStart = 0.0
  /// γ of the discriminator's R1 penalty.
  public var r1Gamma = 0.0

  // The optimisation.
  /// Which rule changes the weights of all networks.
  public var optimizer = OptimizerKind.adam
  /// The autoencoder's largest step size.
  public var learningRate = 1e-3
  /// The discriminator's largest step size.
  public var discriminatorLearningRate = 1e-3
  /// β₁ of Adam.
  public var beta1 = 0.5
  /// β₂ of Adam.
  public var beta2 = 0.999
  /// Decay of the weights.
  public var weightDecay = 0.0
  /// The course of the step sizes after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step sizes rise from 0.
  public var lrWarmupSteps = 200
  /// The largest norm of all gradients of a network together; 0 for no limit.
  public var gradientClip = 0.0
  /// The decay of the averaged weights, the ones that are kept.
  public var emaDecay = 0.999
  /// Pictures a step.
  public var batchSize = 64
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1
  /// Whether pictures are mirrored at random.
  public var flip = false

  /// The default: the VAE-GAN of Larsen et al.
  public init() {}

  /// Where pictures and their reconstructions are compared.
  public enum Reconstruction: String, Codable, Sendable, CaseIterable {
    /// In the discriminator's last hidden level (Larsen et al. 2016).
    case features
    /// Pixel by pixel, by absolute differences.
    case pixels
  }

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<VAEGANRecipe>] {
    [
      Preset("larsen", "compares pictures in the discriminator's features (Larsen et al. 2016)"),
      Preset(
        "perceptual",
        "pixels, patch discriminator, hinge, adaptive weight: as latent diffusion needs"
      ) { recipe in
        recipe.discriminator = .patch
        recipe.discriminatorLearningRate = 3e-4
        recipe.reconstruction = .pixels
        (recipe.beta, recipe.reconstructionWeight) = (1e-3, 1)
        (recipe.loss, recipe.adversarialWeight, recipe.adaptiveWeight) = (.hinge, 0.5, true)
        recipe.adversarialStart = 0.2
      },
    ]
  }

  /// The autoencoder's part, as the family vae has it.
  var autoencoder: AutoencoderRecipe {
    var recipe = AutoencoderRecipe()
    recipe.latentDim = latentDim
    recipe.hiddenDims = hiddenDims
    recipe.blockOutChannels = blockOutChannels
    recipe.layersPerBlock = layersPerBlock
    recipe.activation = activation
    recipe.beta = beta
    recipe.klWarmup = klWarmup
    recipe.batchSize = batchSize
    recipe.accumulation = accumulation
    recipe.flip = flip
    recipe.optimizer = optimizer
    recipe.learningRate = learningRate
    recipe.weightDecay = weightDecay
    recipe.lrSchedule = lrSchedule
    recipe.lrWarmupSteps = lrWarmupSteps
    recipe.gradientClip = gradientClip
    recipe.emaDecay = emaDecay
    return recipe
  }

  /// How weights of the discriminator are changed.
  var discriminatorOptimization: OptimizationSettings {
    OptimizationSettings(
      optimizer: optimizer, learningRate: discriminatorLearningRate, weightDecay: weightDecay,
      lrSchedule: lrSchedule, lrWarmupSteps: lrWarmupSteps, gradientClip: gradientClip,
      emaDecay: 0, betas: (beta1, beta2))
  }

  /// The discriminator of pictures of a shape `[C, H, W]`.
  func discriminatorConfig(elementShape: [Int]) -> GANConfig {
    GANConfig(
      kind: .discriminator, architecture: discriminator, imageSize: elementShape[1],
      channels: elementShape[0], latentDim: latentDim, hiddenDims: hiddenDims,
      blockOutChannels: discriminatorChannels, layersPerBlock: 1, groupSize: 0, classCount: 0,
      spectralNorm: false, discriminatorNorm: r1Gamma == 0)
  }

  /// The weight that follows the gradients.
  public var batchWideParts: [String] { adaptiveWeight ? ["adaptive_weight"] : [] }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if discriminator == .patch, reconstruction == .features {
      return "reconstruction is features, which a discriminator of patches does not have for the "
        + "whole picture; set it to pixels, or discriminator to dcgan"
    }
    if !(0..<1).contains(adversarialStart) {
      return "adversarial_start is \(adversarialStart); it must lie in 0..<1"
    }
    if accumulation > 1, r1Gamma == 0, discriminator == .dcgan {
      return "accumulation is \(accumulation), and the discriminator's batch normalisation would "
        + "see parts of a batch; set r1_gamma, with which it has none"
    }
    if accumulation > 1, adaptiveWeight {
      return "accumulation is \(accumulation), and adaptive_weight looks at the gradients of the "
        + "whole batch; set one of them back"
    }
    for (name, value) in [
      ("reconstruction_weight", reconstructionWeight), ("adversarial_weight", adversarialWeight),
      ("r1_gamma", r1Gamma),
    ] {
      if let problem = notNegative(name, value) { return problem }
    }
    return positive("discriminator_learning_rate", discriminatorLearningRate)
      ?? discriminatorOptimization.problem ?? autoencoder.problem
  }

  /// The trainer of all three networks.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try VAEGANTrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}
