import Torch

/// Divides a weight by its largest singular value, so that the layer stretches nothing
/// (Miyato et al. 2018, eq. 8 and alg. 1).
///
/// The weight is read as a matrix `[outputs, everything else]`. `u` and `v` follow its largest
/// singular pair by one step of the power method at every call in training; gradients take them as
/// constants. Numbers are those of `torch.nn.utils.parametrizations.spectral_norm`; the keys in
/// checkpoints are `u` and `v` beside the layer's own `weight`.
public final class SpectralNorm: Module {
  /// The left singular vector as far as known, `[outputs]`.
  public let u: Buffer
  /// The right singular vector as far as known, `[everything else]`.
  public let v: Buffer

  /// Follows `weight`; starts from random directions, as `settle` leaves them. Without a generator
  /// both are unset, to be loaded.
  public init(of weight: Tensor, using generator: Generator?) {
    let rows = weight.size(0)
    u = Buffer(Initializer.normal().tensor([rows], using: generator))
    v = Buffer(Initializer.normal().tensor([weight.count / rows], using: generator))
    super.init()
    guard generator != nil else { return }
    withoutGradients { v.value.copy(from: Self.direction(v.value)) }
    settle(weight)
  }

  /// Brings `u` and `v` near the largest singular pair of a weight that was changed as a whole, by
  /// 15 steps.
  public func settle(_ weight: Tensor) {
    withoutGradients {
      let matrix = weight.detached().flattened(from: 1)
      for _ in 0..<15 { step(matrix) }
    }
  }

  /// The weight over its largest singular value; in training `u` and `v` come nearer first.
  public func callAsFunction(_ weight: Tensor) -> Tensor {
    let matrix = weight.flattened(from: 1)  // [outputs, everything else]
    if isTraining { withoutGradients { step(matrix) } }
    // The graph keeps copies: later calls write over the buffers before backward reads them.
    let sigma = Precision.fp32 { u.value.clone().matmul(matrix.matmul(v.value.clone())) }
    return weight / sigma
  }

  private func step(_ matrix: Tensor) {
    Precision.fp32 {
      u.value.copy(from: Self.direction(matrix.matmul(v.value)))
      v.value.copy(from: Self.direction(matrix.transposed().matmul(u.value)))
    }
  }

  private static func direction(_ x: Tensor) -> Tensor {
    x / x.norm().clamped(min: 1e-12)
  }
}

/// A layer whose weight is divided by its largest singular value.
public protocol SpectralNormLayer: Layer {
  /// `u` and `v`.
  var spectral: SpectralNorm { get }
  /// The weight as trained.
  var weight: Parameter { get }
}

extension SpectralNormLayer {
  /// Finds the singular pair anew after the first weight was replaced.
  public func settle() { spectral.settle(weight.value) }
}

/// A fully connected layer whose weight is divided by its largest singular value, `[..., inputs]`
/// to `[..., outputs]`.
public final class SpectralNormLinear: Module, SpectralNormLayer {
  /// `[outputs, inputs]`, as trained: before the division.
  public let weight: Parameter
  /// `[outputs]`.
  public let bias: Parameter?
  /// The division.
  public let spectral: SpectralNorm

  /// `u` and `v` stand beside the weight.
  public override var keys: [String: String] { ["spectral": ""] }

  /// Starts as `Linear` does.
  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, using generator: Generator?) {
    (weight, self.bias) = defaultWeightAndBias(
      [outputs, inputs], outputs: outputs, bias: bias, using: generator)
    spectral = SpectralNorm(of: weight.value, using: generator)
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.linear(weight: spectral(weight.value), bias: bias?.value)
  }
}

/// A two-dimensional convolution whose weight is divided by its largest singular value,
/// `[N, in, H, W]` to `[N, out, H′, W′]` as `Conv2d`.
public final class SpectralNormConv2d: Module, SpectralNormLayer {
  /// `[out, in / groups, kernel, kernel]`, as trained: before the division.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter?
  /// The division.
  public let spectral: SpectralNorm
  private let stride: Extent
  private let padding: Extent
  private let groups: Int

  /// `u` and `v` stand beside the weight.
  public override var keys: [String: String] { ["spectral": ""] }

  /// Starts as `Conv2d` does.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    groups: Int = 1, bias: Bool = true, using generator: Generator?
  ) {
    (weight, self.bias) = defaultWeightAndBias(
      [outputs, inputs / groups, kernel.height, kernel.width], outputs: outputs, bias: bias,
      using: generator)
    spectral = SpectralNorm(of: weight.value, using: generator)
    self.stride = stride
    self.padding = padding
    self.groups = groups
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.conv2d(
      weight: spectral(weight.value), bias: bias?.value, stride: stride, padding: padding,
      groups: groups)
  }
}

/// A table of vectors divided by its largest singular value, `int64 [...]` to `[..., width]`: the
/// classes of a projection discriminator (Miyato & Koyama 2018).
public final class SpectralNormEmbedding: Module, SpectralNormLayer {
  /// `[count, width]`, as trained: before the division.
  public let weight: Parameter
  /// The division.
  public let spectral: SpectralNorm

  /// `u` and `v` stand beside the weight.
  public override var keys: [String: String] { ["spectral": ""] }

  /// Starts as `Embedding` does.
  public init(_ count: Int, _ width: Int, using generator: Generator?) {
    weight = Parameter(Initializer.normal().tensor([count, width], using: generator))
    spectral = SpectralNorm(of: weight.value, using: generator)
  }

  /// The vectors at the indices in `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.embedding(weight: spectral(weight.value))
  }
}
