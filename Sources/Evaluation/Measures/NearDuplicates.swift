import Torch

/// Near-identical pairs inside of one batch: the birthday paradox as a test of how many different
/// pictures a generator can make (Arora & Zhang 2017).
///
/// A batch of about the root of that number holds a pair with even odds.
public struct NearDuplicates: Sendable {
  /// Two samples and their distance.
  public struct Pair: Sendable, Equatable {
    /// The earlier sample.
    public let first: Int
    /// The later sample.
    public let second: Int
    /// Their Euclidean distance.
    public let distance: Double
  }

  /// The number of pairs within the threshold.
  public let count: Int
  /// Pairs of a sample and the nearest later one, closest first, at most twenty, within the threshold
  /// or not: what a person looks at.
  public let closest: [Pair]
  /// The number of equally frequent pictures from which so many pairs are expected,
  /// N (N − 1) / (2 · pairs); nil without a pair.
  public let supportSize: Double?

  /// Looks for pairs nearer than `threshold` among samples `[N, ...]`, pixels or features.
  ///
  /// - Throws: `EvaluationError` when there are fewer than two samples.
  public init(in samples: Tensor, within threshold: Double) throws(EvaluationError) {
    let total = samples.size(0)
    guard total > 1 else {
      throw EvaluationError("duplicates need at least two samples, and there are \(total).")
    }
    try samples.requireFinite("samples")
    let x = samples.flattened(from: 1).to(.float64)
    var found = 0
    var nearest: [Pair] = []
    let all = SquaredDistances(x, x)
    let limit = max(threshold * threshold, all.tolerance)
    all.forEachBlock { rows, distances in
      // Row i of the block is sample rows.lowerBound + i: later samples are above that diagonal.
      let later = Tensor.ones(like: distances).upperTriangle(diagonal: rows.lowerBound + 1)
      let above = distances.maskedFilled(later .== 0, Double.infinity)
      found += (above .<= limit).sum().intItem()
      let (values, columns) = above.top(1, 1, largest: false)
      for (i, (value, column)) in zip(
        values.elements(as: Double.self), columns.elements(as: Int.self)
      ).enumerated() where value.isFinite {
        nearest.append(
          Pair(
            first: rows.lowerBound + i, second: column, distance: max(value, 0).squareRoot()))
      }
    }
    count = found
    closest = Array(nearest.sorted { $0.distance < $1.distance }.prefix(20))
    supportSize = found > 0 ? Double(total) * Double(total - 1) / Double(2 * found) : nil
  }
}
