import Torch

/// The Fréchet distance of each class by itself: which class is drawn worst.
public struct ClassFrechetDistances {
  /// By class; nil where a side has too few vectors.
  public let distances: [Double?]
  /// The smaller number of vectors of both sides, by class.
  public let counts: [Int]

  /// The mean of the distances that there are; nil without any.
  public var mean: Double? {
    let known = distances.compactMap(\.self)
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// Compares samples `[N, D]` with a reference `[M, D]`, both with their classes in
  /// `0..<classes`; a class needs `minimum` vectors on both sides, by default one more than
  /// features, so that no covariance is singular.
  public init(
    of samples: Tensor, labels: [Int], against reference: Tensor, labels referenceLabels: [Int],
    classes: Int, minimum: Int? = nil
  ) {
    precondition(samples.size(0) == labels.count, "one label a sample")
    precondition(reference.size(0) == referenceLabels.count, "one label a vector")
    let minimum = max(minimum ?? samples.size(1) + 1, 2)
    let (mine, theirs) = (places(labels, classes), places(referenceLabels, classes))
    counts = zip(mine, theirs).map { min($0.count, $1.count) }
    distances = zip(mine, theirs).map { mine, theirs in
      guard min(mine.count, theirs.count) >= minimum else { return nil }
      let known = FeatureStatistics(reference.selected(0, at: Tensor(theirs)))
      return known.frechetDistance(
        to: FeatureStatistics(samples.selected(0, at: Tensor(mine))))
    }
  }
}

/// Where each class stands among the labels.
private func places(_ labels: [Int], _ classes: Int) -> [[Int]] {
  var places = [[Int]](repeating: [], count: classes)
  for (place, label) in labels.enumerated() { places[label].append(place) }
  return places
}
