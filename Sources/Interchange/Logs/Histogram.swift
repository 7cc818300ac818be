/// Counts of values in intervals, with the moments that TensorBoard shows beside them.
public struct Histogram: Sendable, Equatable {
  /// The smallest finite value.
  public let minimum: Double
  /// The largest finite value.
  public let maximum: Double
  /// How many finite values there are.
  public let count: Double
  /// Their sum.
  public let sum: Double
  /// The sum of their squares.
  public let sumOfSquares: Double
  /// The upper end of each interval, rising.
  public let limits: [Double]
  /// How many values lie in each interval.
  public let counts: [Double]

  /// Counts `values` in `bins` intervals of equal width between the smallest and the largest; values
  /// that are not finite are left out.
  public init(_ values: [Float], bins: Int = 30) {
    precondition(bins > 0, "a histogram needs at least one interval")
    let values = values.filter(\.isFinite).map(Double.init)
    var (low, high) = (Double.infinity, -Double.infinity)
    var (count, sum, squares) = (0.0, 0.0, 0.0)
    for value in values {
      low = min(low, value)
      high = max(high, value)
      count += 1
      sum += value
      squares += value * value
    }
    guard count > 0 else {
      (minimum, maximum, self.count, self.sum, sumOfSquares) = (0, 0, 0, 0, 0)
      (limits, counts) = ([], [])
      return
    }
    let width = high > low ? (high - low) / Double(bins) : 1
    let start = low
    var counts = [Double](repeating: 0, count: high > low ? bins : 1)
    for value in values { counts[min(counts.count - 1, Int((value - start) / width))] += 1 }
    (minimum, maximum, self.count, self.sum, sumOfSquares) = (low, high, count, sum, squares)
    // The last one is exact, so that rounding cannot leave the largest value outside.
    limits = (1..<counts.count + 1).map { $0 == bins ? high : start + width * Double($0) }
    self.counts = counts
  }
}
