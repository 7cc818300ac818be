import Interchange
import NeuralNets
import Torch

/// What a discriminator is made of: samples to the features before its head, and these to scores.
protocol DiscriminatorLayers: Module {
  /// `[N, C, H, W]` or `[N, 2]` to the last hidden level.
  func features(_ x: Tensor) -> Tensor
  /// The last hidden level to `[N]`, or `[N, P]` of patches.
  func scores(_ features: Tensor, labels: Tensor?) -> Tensor
}

/// D of an adversarial game: from samples to scores, higher for what it takes for real.
public final class DiscriminatorNetwork: Module {
  private let layers: any DiscriminatorLayers
  /// The network's shape.
  public let config: GANConfig

  /// The layers' keys stand without a name before them.
  public override var keys: [String: String] { ["layers": ""] }

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  public init(_ config: GANConfig, using generator: Generator?) {
    precondition(config.kind == .discriminator, "a configuration of a generator")
    switch config.architecture {
    case .mlp: layers = MLPDiscriminator(config, using: generator)
    case .dcgan: layers = DCGANDiscriminator(config, using: generator)
    case .sngan: layers = SNGANDiscriminator(config, using: generator)
    case .r3gan: layers = R3GANDiscriminator(config, using: generator)
    case .patch: layers = PatchDiscriminator(config, using: generator)
    }
    self.config = config
  }

  /// The scores of samples: `[N, C, H, W]` about −1…1 or `[N, 2]` to `[N]`; `[N, P]` of P patches.
  public func callAsFunction(_ x: Tensor, labels: Tensor? = nil) -> Tensor {
    scoresAndFeatures(x, labels: labels).scores
  }

  /// The scores, and the hidden level just before them, in which a VAE-GAN compares pictures.
  public func scoresAndFeatures(
    _ x: Tensor, labels: Tensor?
  ) -> (scores: Tensor, features: Tensor) {
    precondition((labels != nil) == (config.classCount > 0), "classes where the network has them")
    let features = layers.features(x).inFullPrecision
    return (layers.scores(features, labels: labels).inFullPrecision, features)
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
      $0.kind == .discriminator ? $0.problem : "_class_name says that this is a generator"
    }
    self.init(config, using: nil)
    try Weights.load("\(folder)/\(ModelFolder.weights)", into: self)
  }
}

/// The head of a discriminator that may be told classes (Miyato & Koyama 2018, eq. 3): a linear
/// score of features `[N, D]`, and their product with the class's vector. `[N]`.
final class ProjectionHead: Module {
  let linear: any Layer
  let classes: (any Layer)?

  init(_ width: Int, classes: Int, spectral: Bool, using generator: Generator?) {
    linear = makeLinear(width, 1, spectral: spectral, using: generator)
    guard classes > 0 else {
      self.classes = nil
      return
    }
    if spectral {
      self.classes = SpectralNormEmbedding(classes, width, using: generator)
    } else {
      let table = Embedding(classes, width, using: generator)
      // As small as the linear score's weights; N(0, 1) would drown that score.
      if generator != nil {
        withoutGradients {
          table.weight.value.copy(from: table.weight.value / Double(width).squareRoot())
        }
      }
      self.classes = table
    }
  }

  /// Finds singular pairs anew after the first weights were replaced.
  func settle() {
    for layer in [linear, classes] { (layer as? any SpectralNormLayer)?.settle() }
  }

  func callAsFunction(_ features: Tensor, labels: Tensor?) -> Tensor {
    let score = linear(features).squeezed(1)
    guard let classes, let labels else { return score }
    return score + (classes(labels) * features).sum([1])
  }

  /// The scores of features `[N, C, H, W]`, flattened. Where their channels lie side by side the one
  /// row of weights is turned instead of all pictures.
  func callAsFunction(levels x: Tensor, labels: Tensor?) -> Tensor {
    guard classes == nil, let linear = linear as? Linear, x.isContiguous(.channelsLast) else {
      return self(x.flattened(from: 1), labels: labels)
    }
    func turned(_ x: Tensor) -> Tensor { x.permuted([0, 2, 3, 1]).flattened(from: 1) }
    let weight = turned(linear.weight.value.reshaped([1] + x.shape.dropFirst()))
    return turned(x).linear(weight: weight, bias: linear.bias?.value).squeezed(1)
  }
}

/// A fully connected layer, divided by its largest singular value where `spectral` says so.
func makeLinear(
  _ inputs: Int, _ outputs: Int, spectral: Bool, using generator: Generator?
) -> any Layer {
  guard spectral else { return Linear(inputs, outputs, using: generator) }
  return SpectralNormLinear(inputs, outputs, using: generator)
}

/// A convolution, divided by its largest singular value where `spectral` says so.
func makeConvolution(
  _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int, bias: Bool = true,
  spectral: Bool, using generator: Generator?
) -> any Layer {
  let (kernel, stride, padding) = (Extent(kernel), Extent(stride), Extent(padding))
  guard spectral else {
    return Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, padding: padding, bias: bias,
      using: generator)
  }
  return SpectralNormConv2d(
    inputs, outputs, kernel: kernel, stride: stride, padding: padding, bias: bias,
    using: generator)
}
