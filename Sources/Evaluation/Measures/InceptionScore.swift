import Foundation
import Torch

/// The Inception score (Salimans et al. 2016): exp E KL(p(y|x) ‖ p(y)), high where every picture is
/// clearly of one class and all classes occur. It never looks at real pictures.
public struct InceptionScore: Sendable {
  /// The score of each split: from 1 to the number of classes.
  public let scores: [Double]
  /// Their mean.
  public let mean: Double
  /// Their deviation, divided by their number.
  public let deviation: Double

  /// The score of logits `[N, K]` in `splits` parts; `generator` shuffles samples that come sorted,
  /// nil leaves their order.
  ///
  /// - Throws: `EvaluationError` when there are fewer samples than splits.
  public init(
    logits: Tensor, splits: Int = 10, using generator: Generator?
  ) throws(EvaluationError) {
    precondition(splits > 0, "no splits")
    let count = logits.size(0)
    guard count >= splits else {
      throw EvaluationError(
        "the Inception score in \(splits) splits needs as many samples, and there are \(count).")
    }
    try logits.requireFinite("logits")
    let order = generator.map { Tensor.randperm(count, using: $0) }
    let x = (order.map { logits.selected(0, at: $0) } ?? logits).to(.float64)
    let logChances = x - x.logSumExp([1], keepingDims: true)  // log p(y|x), [N, K]
    scores = (0..<splits).map { i in
      let (start, end) = (i * count / splits, (i + 1) * count / splits)
      let part = logChances.narrowed(0, start, end - start)
      let marginal = part.logSumExp([0], keepingDims: true) - log(Double(end - start))
      return (part.exp() * (part - marginal)).sum([1]).mean().exp().item()
    }
    (mean, deviation) = meanAndDeviation(scores)
  }
}
