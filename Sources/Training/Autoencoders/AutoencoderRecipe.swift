import Datasets
import Models
import NeuralNets
import Torch

/// Everything that decides how an autoencoder is trained, apart from data, seed and length.
public struct AutoencoderRecipe: TrainingRecipe {
  // The network.
  /// Fully connected or convolutional.
  public var architecture = AutoencoderConfig.Architecture.conv
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

  // The objective.
  /// What the decoder's output means.
  public var likelihood = Likelihood.bernoulli
  /// The standard deviation of a Gaussian likelihood, the first one when it is learned.
  public var sigma = 0.1
  /// The weight of the KL term; 1 is the VAE, more the β-VAE.
  public var beta = 1.0
  /// The share of the training over which the weight of the KL term rises from 0, so that more
  /// dimensions of the code come into use (Sønderby et al. 2016).
  public var klWarmup = 0.4
  /// Nats that each dimension's KL counts at least.
  public var freeBits = 0.0

  // The optimisation.
  /// Which rule changes the weights.
  public var optimizer = OptimizerKind.adam
  /// The largest step size.
  public var learningRate = 3e-3
  /// Decay of the weights.
  public var weightDecay = 0.0
  /// The course of the step size after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step size rises from 0.
  public var lrWarmupSteps = 500
  /// The largest norm of all gradients together; 0 for no limit.
  public var gradientClip = 0.0
  /// The decay of the averaged weights, the ones that are kept.
  public var emaDecay = 0.999
  /// Pictures a step.
  public var batchSize = 128
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1
  /// Whether pictures are mirrored at random.
  public var flip = false

  /// The convolutional default.
  public init() {}

  /// The presets of both kinds, the default first.
  public static func presets(of family: Family) -> [Preset<AutoencoderRecipe>] {
    let shared: [Preset<AutoencoderRecipe>] = [
      Preset("conv", "strided convolutions down and up, a 32-number code"),
      Preset("mlp", "the classic 784-400-20 network, Adam 1e-3, batch 128") { recipe in
        recipe.architecture = .mlp
        recipe.latentDim = 20
        recipe.hiddenDims = [400]
        recipe.activation = .relu
        recipe.learningRate = 1e-3
        recipe.lrSchedule = .constant
        recipe.lrWarmupSteps = 0
        recipe.batchSize = 128
      },
      Preset("map", "the convolutional network with a 2-number code, which can be drawn whole") {
        $0.latentDim = 2
      },
    ]
    guard family == .vae else { return shared }
    return shared + [Preset("beta", "the convolutional network with β = 4") { $0.beta = 4 }]
  }

  /// The network's shape for pictures of this size.
  public func network(
    _ kind: AutoencoderConfig.Kind, imageSize: Int, channels: Int
  ) -> AutoencoderConfig {
    AutoencoderConfig(
      kind: kind, architecture: architecture, imageSize: imageSize, channels: channels,
      latentDim: latentDim, hiddenDims: hiddenDims, blockOutChannels: blockOutChannels,
      layersPerBlock: layersPerBlock, activation: activation, likelihood: likelihood)
  }

  /// How weights are changed.
  public var optimization: OptimizationSettings {
    OptimizationSettings(
      optimizer: optimizer, learningRate: learningRate, weightDecay: weightDecay,
      lrSchedule: lrSchedule, lrWarmupSteps: lrWarmupSteps, gradientClip: gradientClip,
      emaDecay: emaDecay)
  }

  /// The nats that each dimension counts at least are those of a mean over pictures.
  public var batchWideParts: [String] { freeBits > 0 ? ["free_bits"] : [] }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if !(0...1).contains(klWarmup) { return "kl_warmup is \(klWarmup); it must lie in 0...1" }
    if accumulation > 1, freeBits > 0 {
      return "accumulation is \(accumulation), and free_bits counts the nats of the whole batch; "
        + "set one of them back"
    }
    return batchSizeProblem(batchSize) ?? BatchParts.problem(accumulation, of: batchSize)
      ?? positive("sigma", sigma) ?? notNegative("beta", beta)
      ?? notNegative("free_bits", freeBits) ?? optimization.problem
  }

  /// The trainer of an autoencoder or of a variational one.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    let training = try AutoencoderTraining(
      family.autoencoderKind ?? .deterministic, recipe: self, train: train, test: test, seed: seed,
      device: device, from: position, ranks: ranks)
    return family == .vae ? VAETrainer(training) : AutoencoderTrainer(training)
  }
}
