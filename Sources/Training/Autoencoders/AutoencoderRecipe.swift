import Interchange
import Models
import NeuralNets

/// Everything that decides how an autoencoder is trained, apart from data, seed and length.
///
/// Its JSON keys are the names that `--set` and `--config` take.
public struct AutoencoderRecipe: Codable, Sendable, Equatable {
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
  /// Whether pictures are mirrored at random.
  public var flip = false

  /// The convolutional default.
  public init() {}

  /// A recipe by the name that `--preset` takes.
  ///
  /// Throws `ConfigError` for another name, with the nearest one.
  public init(preset name: String, kind: AutoencoderConfig.Kind) throws(ConfigError) {
    self.init()
    let presets = Self.presets(kind)
    guard let preset = presets.first(where: { $0.name == name }) else {
      let near =
        nearestName(to: name, among: presets.map(\.name)).map { "; did you mean \($0)?" } ?? ";"
      throw ConfigError(
        path: nil,
        sentence: "there is no preset \"\(name)\" for this family\(near) the presets are "
          + presets.map(\.name).joined(separator: ", ") + ".")
    }
    preset.apply(&self)
  }

  /// The presets of a kind, the default first: name, what it is, what it changes.
  public static func presets(
    _ kind: AutoencoderConfig.Kind
  ) -> [(name: String, summary: String, apply: (inout AutoencoderRecipe) -> Void)] {
    let shared: [(name: String, summary: String, apply: (inout AutoencoderRecipe) -> Void)] = [
      ("conv", "strided convolutions down and up, a 32-number code", { _ in }),
      (
        "mlp", "the classic 784-400-20 network, Adam 1e-3, batch 128",
        { recipe in
          recipe.architecture = .mlp
          recipe.latentDim = 20
          recipe.hiddenDims = [400]
          recipe.activation = .relu
          recipe.learningRate = 1e-3
          recipe.lrSchedule = .constant
          recipe.lrWarmupSteps = 0
          recipe.batchSize = 128
        }
      ),
      (
        "map", "the convolutional network with a 2-number code, which can be drawn whole",
        { $0.latentDim = 2 }
      ),
    ]
    guard kind == .variational else { return shared }
    return shared + [
      (
        "beta", "the convolutional network with β = 4",
        { $0.beta = 4 }
      )
    ]
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

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    func positive(_ name: String, _ value: Double) -> String? {
      value > 0 && value.isFinite ? nil : "\(name) is \(value); it must be positive"
    }
    func notNegative(_ name: String, _ value: Double) -> String? {
      value >= 0 && value.isFinite ? nil : "\(name) is \(value); it must not be negative"
    }
    if !(1...65_536).contains(batchSize) {
      return "batch_size is \(batchSize); it must lie in 1...65536"
    }
    if !(0..<1).contains(emaDecay) { return "ema_decay is \(emaDecay); it must lie in 0..<1" }
    if !(0...1).contains(klWarmup) { return "kl_warmup is \(klWarmup); it must lie in 0...1" }
    return positive("learning_rate", learningRate) ?? positive("sigma", sigma)
      ?? notNegative("beta", beta) ?? notNegative("free_bits", freeBits)
      ?? notNegative("weight_decay", weightDecay) ?? notNegative("gradient_clip", gradientClip)
      ?? notNegative("lr_warmup_steps", Double(lrWarmupSteps))
  }
}

/// The optimizers that a recipe can name.
public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
  /// Stochastic gradient descent with momentum 0.9.
  case sgd
  /// Adam.
  case adam
  /// Adam with decoupled weight decay.
  case adamw
  /// RMSprop.
  case rmsprop
  /// Lion.
  case lion

  /// The optimizer over some parameters.
  public func make(
    _ parameters: [Parameter], learningRate: Double, weightDecay: Double
  ) -> any Optimizer {
    switch self {
    case .sgd:
      SGD(parameters, learningRate: learningRate, momentum: 0.9, weightDecay: weightDecay)
    case .adam:
      Adam(parameters, learningRate: learningRate, weightDecay: weightDecay)
    case .adamw:
      Adam(parameters, learningRate: learningRate, weightDecay: weightDecay, decoupled: true)
    case .rmsprop:
      RMSprop(parameters, learningRate: learningRate, weightDecay: weightDecay)
    case .lion:
      Lion(parameters, learningRate: learningRate, weightDecay: weightDecay)
    }
  }
}
