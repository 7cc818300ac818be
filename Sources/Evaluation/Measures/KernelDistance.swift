import Torch

/// KID: the squared maximum mean discrepancy between two sets of features (Bińkowski et al. 2018),
/// whose expectation does not depend on how many samples there are.
public struct KernelDistance: Sendable {
  /// The unbiased estimate of every subset; one may be below 0.
  public let estimates: [Double]
  /// The number of vectors of a subset, of either side.
  public let subsetSize: Int
  /// The mean of the estimates: 0 in expectation for equal distributions, larger is worse.
  public let mean: Double
  /// The deviation of the estimates, divided by their number.
  public let deviation: Double
  /// How far the mean may be off, as a deviation: that of the estimates over the root of the number of
  /// subsets, or of those that fit into the smaller set without overlap, where these are fewer, since
  /// subsets that share vectors add no information; and over √(1 − n / N), because subsets of n drawn
  /// from the same N vectors are more alike than new ones would be.
  public let standardError: Double

  /// The distance between features `[N, D]` and `[M, D]`, by `subsets` draws of `subsetSize` vectors
  /// each without replacement; smaller sets give subsets of half their vectors.
  ///
  /// - Throws: `EvaluationError` when a set has fewer than four vectors.
  public init(
    _ a: Tensor, _ b: Tensor, subsets: Int = 100, subsetSize: Int = 1000, using generator: Generator
  ) throws(EvaluationError) {
    precondition(subsets > 0 && subsetSize > 1, "an unbiased estimate needs two vectors")
    let smaller = min(a.size(0), b.size(0))
    guard smaller >= 4 else {
      throw EvaluationError("KID needs at least four vectors a side, and there are \(smaller).")
    }
    try a.requireFinite("features")
    try b.requireFinite("features")
    let size = min(subsetSize, smaller / 2)
    func draw(_ features: Tensor) -> Tensor {
      let order = Tensor.randperm(features.size(0), using: generator)
      return features.selected(0, at: order.narrowed(0, 0, size))
    }
    let estimates = (0..<subsets).map { _ in Self.squaredDiscrepancy(draw(a), draw(b)) }
    self.init(estimates: estimates, subsetSize: size, of: smaller)
  }

  /// The summary of estimates from subsets of a set whose smaller side has `count` vectors.
  init(estimates: [Double], subsetSize: Int, of count: Int) {
    self.estimates = estimates
    self.subsetSize = subsetSize
    (mean, deviation) = meanAndDeviation(estimates)
    let independent = Double(min(estimates.count, count / subsetSize))
    let left = 1 - Double(subsetSize) / Double(count)
    standardError = deviation / (independent * left).squareRoot()
  }

  /// The unbiased estimate MMD²ᵤ (Gretton et al. 2012, eq. 3) with the kernel k(x, y) = (x·y / D + 1)³,
  /// in float64.
  public static func squaredDiscrepancy(_ a: Tensor, _ b: Tensor) -> Double {
    let (x, y) = (a.to(.float64), b.to(.float64))
    func kernel(_ x: Tensor, _ y: Tensor) -> Tensor {
      (x.matmul(y.transposed(0, 1)) / Double(x.size(1)) + 1).pow(3)
    }
    /// The mean of k over pairs of different vectors of one set.
    func within(_ x: Tensor) -> Double {
      let (k, n) = (kernel(x, x), Double(x.size(0)))
      return (k.sum() - k.diagonal().sum()).item() / (n * (n - 1))
    }
    return within(x) + within(y) - 2 * kernel(x, y).mean().item()
  }
}

/// The mean, and the deviation divided by the count.
func meanAndDeviation(_ values: [Double]) -> (mean: Double, deviation: Double) {
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean, (squares / Double(values.count)).squareRoot())
}
