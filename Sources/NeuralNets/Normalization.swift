import Torch

/// Normalises groups of channels of each picture (Wu & He 2018): `[N, C, ...]` unchanged in shape.
public final class GroupNorm: Module, Layer {
  /// One factor a channel, `[C]`.
  public let weight: Parameter
  /// One offset a channel, `[C]`.
  public let bias: Parameter
  private let groups: Int
  private let eps: Double

  /// Starts as the plain normalisation. `groups` must divide `channels`.
  public init(groups: Int, channels: Int, eps: Double = 1e-5) {
    precondition(channels % groups == 0, "\(groups) groups do not divide \(channels) channels")
    weight = Parameter(.ones([channels]))
    bias = Parameter(.zeros([channels]))
    self.groups = groups
    self.eps = eps
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.groupNorm(groups: groups, weight: weight.value, bias: bias.value, eps: eps)
  }

  /// The layer's output for `x`, or for the sum of it and `added`, through a function; SiLU in the
  /// same pass.
  public func callAsFunction(
    _ x: Tensor, adding added: Tensor? = nil, then activation: Activation.Kind
  ) -> Tensor {
    guard activation == .silu else { return activation(self(added.map { x + $0 } ?? x)) }
    return x.groupNormSiLU(
      adding: added, groups: groups, weight: weight.value, bias: bias.value, eps: eps)
  }
}

/// Normalises the last dimension (Ba et al. 2016): `[..., width]` unchanged in shape.
public final class LayerNorm: Module, Layer {
  /// One factor a place, `[width]`.
  public let weight: Parameter
  /// One offset a place, `[width]`.
  public let bias: Parameter
  private let width: Int
  private let eps: Double

  /// Starts as the plain normalisation.
  public init(_ width: Int, eps: Double = 1e-5) {
    weight = Parameter(.ones([width]))
    bias = Parameter(.zeros([width]))
    self.width = width
    self.eps = eps
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.layerNorm([width], weight: weight.value, bias: bias.value, eps: eps)
  }
}

/// A layer that takes statistics of the whole batch in training.
public protocol BatchStatistics: Module {
  /// The processes that share each batch; `nil` for one that has it alone.
  var group: ProcessGroup? { get set }
}

/// Normalises every channel over the batch in training, by running statistics in use
/// (Ioffe & Szegedy 2015): `[N, C, H, W]` unchanged in shape.
public final class BatchNorm2d: Module, Layer, BatchStatistics {
  /// One factor a channel, `[C]`.
  public let weight: Parameter
  /// One offset a channel, `[C]`.
  public let bias: Parameter
  /// The mean over past batches, `[C]`.
  public let runningMean: Buffer
  /// The unbiased variance over past batches, `[C]`.
  public let runningVar: Buffer
  /// How many batches the statistics have seen, `int64 []`.
  public let numBatchesTracked: Buffer
  /// The processes that share each batch; `nil` for one that has it alone.
  public var group: ProcessGroup?
  private let momentum: Double
  private let eps: Double

  /// Starts as the plain normalisation.
  public init(_ channels: Int, eps: Double = 1e-5, momentum: Double = 0.1) {
    weight = Parameter(.ones([channels]))
    bias = Parameter(.zeros([channels]))
    runningMean = Buffer(.zeros([channels]))
    runningVar = Buffer(.ones([channels]))
    numBatchesTracked = Buffer(.zeros([], dtype: .int64))
    self.momentum = momentum
    self.eps = eps
  }

  /// The layer's output for `x`; in training the running statistics move.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if isTraining { numBatchesTracked.value.add(1) }
    return x.batchNorm(
      weight: weight.value, bias: bias.value, runningMean: runningMean.value,
      runningVariance: runningVar.value, training: isTraining, momentum: momentum, eps: eps,
      over: group)
  }

  /// The layer's output for `x` through a leaky rectifier, in one pass; a slope of 0 is a plain one.
  public func callAsFunction(_ x: Tensor, leakySlope slope: Double) -> Tensor {
    guard group == nil else { return self(x).leakyReLU(slope: slope) }
    if isTraining { numBatchesTracked.value.add(1) }
    return x.batchNormLeakyReLU(
      weight: weight.value, bias: bias.value, runningMean: runningMean.value,
      runningVariance: runningVar.value, training: isTraining, momentum: momentum, eps: eps,
      slope: slope)
  }
}
