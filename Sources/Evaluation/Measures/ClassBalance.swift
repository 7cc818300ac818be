import Foundation

/// How evenly samples are spread over classes: a generator that has lost classes shows it here.
public struct ClassBalance: Sendable, Equatable {
  /// The share of each class.
  public let shares: [Double]
  /// Shannon's entropy −Σ p log p, in nats: 0 for one class alone.
  public let entropy: Double
  /// The entropy over that of even shares, from 0 to 1; 1 where there is but one class.
  public let normalizedEntropy: Double

  /// The balance of labels in `0..<classes`.
  ///
  /// - Throws: `EvaluationError` without any label.
  public init(labels: [Int], classes: Int) throws(EvaluationError) {
    guard !labels.isEmpty else {
      throw EvaluationError("the balance of classes needs samples, and there are none.")
    }
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    shares = counts.map { Double($0) / Double(labels.count) }
    entropy = shares.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
    normalizedEntropy = classes > 1 ? entropy / log(Double(classes)) : 1
  }
}
