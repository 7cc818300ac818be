import Datasets
import Models
import NeuralNets
import Torch

/// Everything that decides how the autoencoder of a latent diffusion model is trained, apart from
/// data, seed and length.
public struct AutoencoderKLRecipe: TrainingRecipe {
  // The network.
  /// Channels of a latent.
  public var latentChannels = 4
  /// Channels of each level, from the full picture down; every level but the last halves it.
  public var blockOutChannels = [32, 64, 128]
  /// Residual blocks of a level of the encoder; in the decoder there is one more.
  public var layersPerBlock = 1
  /// Groups of every normalisation.
  public var normNumGroups = 8
  /// Whether encoder and decoder have attention where the picture is smallest.
  public var midBlockAddAttention = true

  // The objective.
  /// How pictures and their reconstructions are compared.
  public var reconstructionLoss = Reconstruction.l1
  /// A safetensors file of Inception-v3's weights with pytorch-fid's keys, in whose maps pictures and
  /// reconstructions are compared too; empty: they are not.
  public var perceptualWeights = ""
  /// The weight of that comparison.
  public var perceptualWeight = 0.1
  /// The weight of the KL term, nats, beside the errors of all values of a picture.
  public var klWeight = 1e-6
  /// The weight of the game against a discriminator of patches; 0: there is none. More is sharper,
  /// and leaves its own dots on plain surfaces.
  public var adversarialWeight = 0.1
  /// Whether that weight is set anew every step, so that the game and the reconstruction pull at the
  /// decoder's last layer with equal force (Esser et al. 2021, eq. 7).
  public var adaptiveWeight = true
  /// The share of the training before the game begins.
  public var adversarialStart = 0.6
  /// Channels of each level of the discriminator.
  public var discriminatorChannels = [32, 64, 128]

  // The optimisation.
  /// Which rule changes the weights of both networks.
  public var optimizer = OptimizerKind.adam
  /// The autoencoder's largest step size.
  public var learningRate = 1e-3
  /// The discriminator's largest step size.
  public var discriminatorLearningRate = 3e-4
  /// β₁ of Adam.
  public var beta1 = 0.5
  /// β₂ of Adam.
  public var beta2 = 0.99
  /// Decay of the weights.
  public var weightDecay = 0.0
  /// The course of the step sizes after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step sizes rise from 0.
  public var lrWarmupSteps = 100
  /// The largest norm of all gradients of a network together; 0 for no limit.
  public var gradientClip = 1.0
  /// The decay of the averaged weights, the ones that are kept.
  public var emaDecay = 0.999
  /// Pictures a step.
  public var batchSize = 16
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1
  /// Whether pictures are mirrored at random.
  public var flip = false

  /// The default, for pictures of 64 pixels.
  public init() {}

  /// How pictures and their reconstructions are compared.
  public enum Reconstruction: String, Codable, Sendable, CaseIterable {
    /// By the mean absolute difference.
    case l1
    /// By the mean squared difference.
    case l2

    /// The mean over all values, `[]`.
    func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
      switch self {
      case .l1: (x - target).abs().mean()
      case .l2: (x - target).square().mean()
      }
    }
  }

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<AutoencoderKLRecipe>] {
    [
      Preset("kl-64", "for 64 pixels in colour: latents of 16×16×4"),
      Preset("tiny", "a small network for a first look, without a discriminator") { recipe in
        recipe.blockOutChannels = [16, 32]
        recipe.midBlockAddAttention = false
        recipe.adversarialWeight = 0
      },
      Preset("kl-f8", "the network of Stable Diffusion: latents an eighth as wide and high") {
        recipe in
        recipe.blockOutChannels = [128, 256, 512, 512]
        recipe.layersPerBlock = 2
        recipe.normNumGroups = 32
        recipe.discriminatorChannels = [64, 128, 256, 512]
        recipe.learningRate = 1e-4
        recipe.discriminatorLearningRate = 1e-4
        recipe.batchSize = 8
      },
    ]
  }

  /// The autoencoder of pictures of a shape `[C, H, W]`.
  public func network(elementShape: [Int]) -> AutoencoderKLConfig {
    var config = AutoencoderKLConfig()
    config.inChannels = elementShape[0]
    config.outChannels = elementShape[0]
    config.sampleSize = .square(elementShape[1])
    config.downBlockTypes = blockOutChannels.map { _ in .plain }
    config.upBlockTypes = blockOutChannels.map { _ in .plain }
    config.blockOutChannels = blockOutChannels
    config.layersPerBlock = layersPerBlock
    config.latentChannels = latentChannels
    config.normNumGroups = normNumGroups
    config.midBlockAddAttention = midBlockAddAttention
    return config
  }

  /// The discriminator of such pictures.
  func discriminator(elementShape: [Int]) -> GANConfig {
    GANConfig(
      kind: .discriminator, architecture: .patch, imageSize: elementShape[1],
      channels: elementShape[0], latentDim: 1, blockOutChannels: discriminatorChannels)
  }

  /// How weights of the autoencoder are changed.
  public var optimization: OptimizationSettings {
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
      betas: (beta1, beta2))
  }

  /// What is wrong with pictures of a shape `[C, H, W]`, as one sentence.
  func problem(ofPictures elementShape: [Int]) -> String? {
    let (channels, size) = (elementShape[0], elementShape[1])
    let scale = network(elementShape: elementShape).scale
    guard size % scale == 0 else {
      return "an image size of \(size) is not divisible by the \(scale) pixels that become one "
        + "latent; list fewer block_out_channels or pass another --image-size"
    }
    guard !perceptualWeights.isEmpty else { return nil }
    guard channels == 1 || channels == 3, size >= PerceptualDistance.smallestSide else {
      return "perceptual_weights compares pictures of 1 or 3 channels and at least "
        + "\(PerceptualDistance.smallestSide) pixels, and these are \(size)×\(size) of "
        + "\(channels); leave it out or pass another --image-size"
    }
    return nil
  }

  /// Whether there is a discriminator.
  var hasGame: Bool { adversarialWeight > 0 }

  /// The weight that follows the gradients.
  public var batchWideParts: [String] { hasGame && adaptiveWeight ? ["adaptive_weight"] : [] }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if !(0..<1).contains(adversarialStart) {
      return "adversarial_start is \(adversarialStart); it must lie in 0..<1"
    }
    if accumulation > 1, hasGame {
      return "accumulation is \(accumulation), and the discriminator's batch normalisation would "
        + "see parts of a batch; set adversarial_weight to 0, without which there is none"
    }
    return batchSizeProblem(batchSize) ?? BatchParts.problem(accumulation, of: batchSize)
      ?? notNegative("kl_weight", klWeight) ?? notNegative("perceptual_weight", perceptualWeight)
      ?? notNegative("adversarial_weight", adversarialWeight)
      ?? positive("discriminator_learning_rate", discriminatorLearningRate)
      ?? optimization.problem
  }

  /// The trainer of a KL autoencoder.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try AutoencoderKLTrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}
