/// The receiver operating characteristic of scores: for every threshold, which share of the positives
/// and of the negatives is at or above it. For a discriminator, real is positive.
public struct ROCCurve: Sendable, Equatable {
  /// What one threshold does.
  public struct Point: Sendable, Equatable {
    /// Scores from this one on count as positive; infinite at the first point.
    public let threshold: Double
    /// The share of the negatives that do.
    public let falsePositiveRate: Double
    /// The share of the positives that do.
    public let truePositiveRate: Double
  }

  /// From (0, 0) to (1, 1), one point a different score, by falling threshold; none is dropped, as
  /// with scikit-learn's `drop_intermediate=False`.
  public let points: [Point]
  /// The area under the curve by the trapezoid rule: the chance that a positive scores above a
  /// negative, ties counting half.
  public let area: Double

  /// The curve of scores, higher for what is taken for positive.
  ///
  /// - Throws: `EvaluationError` unless there are positives and negatives, and all are numbers.
  public init(scores: [Double], isPositive: [Bool]) throws(EvaluationError) {
    precondition(scores.count == isPositive.count, "one label a score")
    guard scores.allSatisfy({ !$0.isNaN }) else {
      throw EvaluationError(
        "some scores are not numbers, so they have no order; the discriminator has diverged.")
    }
    let positives = isPositive.count { $0 }
    let negatives = isPositive.count - positives
    guard positives > 0, negatives > 0 else {
      throw EvaluationError(
        "a ROC curve needs scores of both kinds, and there are \(positives) positive and "
          + "\(negatives) negative ones.")
    }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var points = [Point(threshold: .infinity, falsePositiveRate: 0, truePositiveRate: 0)]
    var (hits, alarms) = (0, 0)
    for (place, index) in order.enumerated() {
      if isPositive[index] { hits += 1 } else { alarms += 1 }
      let isLast = place + 1 == order.count
      guard isLast || scores[order[place + 1]] != scores[index] else { continue }
      points.append(
        Point(
          threshold: scores[index], falsePositiveRate: Double(alarms) / Double(negatives),
          truePositiveRate: Double(hits) / Double(positives)))
    }
    self.points = points
    area = zip(points, points.dropFirst()).reduce(0) { sum, pair in
      let width = pair.1.falsePositiveRate - pair.0.falsePositiveRate
      return sum + width * (pair.0.truePositiveRate + pair.1.truePositiveRate) / 2
    }
  }
}
