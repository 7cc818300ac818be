import Interchange
import NeuralNets
import Torch

/// What a generator is made of: `[N, D]` and classes `int64 [N]` to samples.
protocol GeneratorLayers: Module {
  func callAsFunction(_ z: Tensor, labels: Tensor?) -> Tensor
}

/// G of an adversarial game: from codes drawn from N(0, 1) to samples.
public final class GeneratorNetwork: Module {
  private let layers: any GeneratorLayers
  /// The network's shape.
  public let config: GANConfig

  /// The layers' keys stand without a name before them.
  public override var keys: [String: String] { ["layers": ""] }

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  public init(_ config: GANConfig, using generator: Generator?) {
    precondition(config.kind == .generator, "a configuration of a discriminator")
    switch config.architecture {
    case .mlp: layers = MLPGenerator(config, using: generator)
    case .dcgan: layers = DCGANGenerator(config, using: generator)
    case .sngan: layers = SNGANGenerator(config, using: generator)
    case .r3gan: layers = R3GANGenerator(config, using: generator)
    case .patch: preconditionFailure("patch is an architecture of discriminators")
    }
    self.config = config
  }

  /// Samples of codes: `[N, D]` to `[N, C, H, W]` about −1…1, or `[N, 2]`.
  public func callAsFunction(_ z: Tensor, labels: Tensor? = nil) -> Tensor {
    precondition((labels != nil) == (config.classCount > 0), "classes where the network has them")
    return layers(z, labels: labels).inFullPrecision
  }

  /// Writes `config.json` and the weights in `state` (default: the network's own) into a folder
  /// that exists. Throws `FileError` when the disk refuses.
  public func save(to folder: String, state: [(key: String, tensor: Tensor)]? = nil) throws {
    try ModelFolder.write(config, state ?? self.state, to: folder)
  }

  /// The network that `save(to:)` wrote.
  ///
  /// Throws an `ExplainedError` that names the file for a missing or damaged one, an impossible
  /// configuration, or weights that do not fit it.
  public convenience init(folder: String) throws {
    let config: GANConfig = try ModelFolder.readConfig(in: folder) {
      $0.kind == .generator ? $0.problem : "_class_name says that this is a discriminator"
    }
    self.init(config, using: nil)
    try Weights.load("\(folder)/\(ModelFolder.weights)", into: self)
  }
}
