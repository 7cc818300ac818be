import Torch

/// FID∞: the Fréchet distance that infinitely many samples would have (Chong & Forsyth 2020).
///
/// The distance of N samples is larger than that of their distribution by nearly c / N. So the
/// distances of random subsets of several sizes are put on a line over 1 / N, and its value at 0 is
/// read. The bias that comes from the number of reference vectors stays in.
public struct FrechetExtrapolation {
  /// One subset's size and distance.
  public struct Point: Sendable, Equatable {
    /// The number of samples.
    public let count: Int
    /// Their squared Fréchet distance from the reference.
    public let distance: Double

    /// A size and the distance measured at it.
    public init(count: Int, distance: Double) {
      self.count = count
      self.distance = distance
    }
  }

  /// What was measured, by rising size; the last is all samples.
  public let points: [Point]
  /// The line's value at 1 / N = 0; noise may take it a little below 0.
  public let distance: Double
  /// The line's slope: a distance of N samples is too large by about slope / N.
  public let slope: Double

  /// The least-squares line through points of at least two sizes.
  public init(points: [Point]) {
    precondition(Set(points.map(\.count)).count > 1, "a line needs two sizes")
    self.points = points
    let x = points.map { 1 / Double($0.count) }
    let (meanX, meanY) = (mean(x), mean(points.map(\.distance)))
    let products = zip(x, points).map { ($0 - meanX) * ($1.distance - meanY) }
    slope = mean(products) / mean(x.map { ($0 - meanX) * ($0 - meanX) })
    distance = meanY - slope * meanX
  }

  /// Measures samples `[N, D]` at `count` sizes, evenly spaced from `smallest` to N; by default a
  /// tenth of them, at least two a feature, at most half (the paper's are 15 sizes from 5,000 to
  /// 50,000 at 2,048 features).
  ///
  /// - Throws: `EvaluationError` when there are too few samples.
  public init(
    of samples: Tensor, from distance: FrechetDistance, points count: Int = 15,
    smallest: Int? = nil, using generator: Generator
  ) throws(EvaluationError) {
    precondition(count > 1, "a line needs two points")
    let (total, width) = (samples.size(0), samples.size(1))
    let first = smallest ?? min(max(total / 10, 2 * width), total / 2)
    guard first > 1, total - first >= count - 1 else {
      throw EvaluationError(
        "FID∞ takes \(count) sizes from \(max(first, 2)) samples on, and there are \(total); give "
          + "more samples or leave the measure out.")
    }
    try samples.requireFinite("features of the samples")
    self.init(
      points: (0..<count).map { i in
        let size = first + (total - first) * i / (count - 1)
        let subset = Tensor.randperm(total, using: generator).narrowed(0, 0, size)
        let statistics = FeatureStatistics(samples.selected(0, at: subset))
        return Point(count: size, distance: distance(to: statistics))
      })
  }
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
