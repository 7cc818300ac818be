import Torch

/// A function applied to every element, as a layer without weights.
public final class Activation: Module, Layer {
  /// Which function.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// max(x, 0).
    case relu
    /// x where positive, 0.2 · x elsewhere: the discriminators' usual slope.
    case leakyReLU = "leaky-relu"
    /// x · sigmoid(x).
    case silu
    /// x · Φ(x).
    case gelu
    /// x where positive, e^x − 1 elsewhere.
    case elu
    /// x · tanh(softplus(x)).
    case mish
    /// The hyperbolic tangent.
    case tanh
    /// 1 / (1 + e^−x).
    case sigmoid
    /// x itself.
    case identity

    /// The function's values at `x`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
      switch self {
      case .relu: x.relu()
      case .leakyReLU: x.leakyReLU(slope: 0.2)
      case .silu: x.silu()
      case .gelu: x.gelu()
      case .elu: x.elu()
      case .mish: x.mish()
      case .tanh: x.tanh()
      case .sigmoid: x.sigmoid()
      case .identity: x
      }
    }
  }

  private let kind: Kind

  /// The layer of one function.
  public init(_ kind: Kind) {
    self.kind = kind
  }

  /// The function's values at `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { kind(x) }
}

/// Sets each element to zero with a chance of `probability` in training and scales the rest, so
/// that the expectation stays; nothing in use (Srivastava et al. 2014).
public final class Dropout: Module, Layer {
  private let probability: Double
  private let generator: Generator

  /// Draws from `generator` at every call in training.
  public init(_ probability: Double, using generator: Generator) {
    precondition((0..<1).contains(probability), "a chance of \(probability) is not in 0..<1")
    self.probability = probability
    self.generator = generator
  }

  /// `x` with some elements dropped.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard isTraining, probability > 0 else { return x }
    let keep = withoutGradients {
      let mask = Tensor.zeros(like: x.detached())
      mask.fillBernoulli(1 - probability, using: generator)
      mask.multiply(by: 1 / (1 - probability))
      return mask
    }
    return x * keep
  }
}

/// Layers one after the other; their keys are their places: `0.weight`, `2.weight`.
public final class Sequential: Module, Layer {
  /// The layers in the order of their calls.
  public let layers: [any Layer]

  /// The places stand at the sequence's own level, without a `layers.` before them.
  public override var keys: [String: String] { ["layers": ""] }

  /// A chain of layers.
  public init(_ layers: any Layer...) {
    self.layers = layers
  }

  /// A chain of layers.
  public init(_ layers: [any Layer]) {
    self.layers = layers
  }

  /// The last layer's output.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    layers.reduce(x) { $1($0) }
  }
}
