import Torch

/// Batch normalisation whose factor and offset the class decides (Dumoulin et al. 2017, eq. 5;
/// de Vries et al. 2017): y = (1 + γ_c) · x̂ + β_c with x̂ normalised as by `BatchNorm2d`,
/// `[N, C, H, W]` unchanged in shape.
///
/// Both tables start at zero, so every class starts as the plain normalisation.
public final class ConditionalBatchNorm2d: Module, BatchStatistics {
  /// What a class adds to the factor 1 of every channel, `[classes, C]`.
  public let gamma: Parameter
  /// A class's offset of every channel, `[classes, C]`.
  public let beta: Parameter
  /// The mean over past batches of all classes, `[C]`.
  public let runningMean: Buffer
  /// The unbiased variance over past batches of all classes, `[C]`.
  public let runningVar: Buffer
  /// How many batches the statistics have seen, `int64 []`.
  public let numBatchesTracked: Buffer
  /// The processes that share each batch; `nil` for one that has it alone.
  public var group: ProcessGroup?
  private let momentum: Double
  private let eps: Double

  /// Starts as the plain normalisation for every class.
  public init(_ channels: Int, classes: Int, eps: Double = 1e-5, momentum: Double = 0.1) {
    gamma = Parameter(.zeros([classes, channels]))
    beta = Parameter(.zeros([classes, channels]))
    runningMean = Buffer(.zeros([channels]))
    runningVar = Buffer(.ones([channels]))
    numBatchesTracked = Buffer(.zeros([], dtype: .int64))
    self.momentum = momentum
    self.eps = eps
  }

  /// The layer's output for `x` of the classes `labels`, `int64 [N]`; in training the running
  /// statistics move.
  public func callAsFunction(_ x: Tensor, labels: Tensor) -> Tensor {
    if isTraining { numBatchesTracked.value.add(1) }
    let normalized = x.batchNorm(
      runningMean: runningMean.value, runningVariance: runningVar.value, training: isTraining,
      momentum: momentum, eps: eps, over: group)
    // [N] -> [N, C, 1, 1]
    let factor = labels.embedding(weight: gamma.value).unsqueezed(-1).unsqueezed(-1) + 1
    let offset = labels.embedding(weight: beta.value).unsqueezed(-1).unsqueezed(-1)
    return normalized * factor + offset
  }
}
