import Torch

/// Whether samples are nearer to the training set than held-out pictures explain.
///
/// For every sample the nearest vector of the training set and of a held-out set, by Euclidean
/// distance between pixels or features. The search runs in the vectors' type, by blocks; the
/// distances reported are measured again in float64, so that of a copy is 0.
public struct Memorization: Sendable {
  /// The distance of every sample to its nearest training vector.
  public let trainingDistances: [Double]
  /// The distance of every sample to its nearest held-out vector.
  public let heldOutDistances: [Double]
  /// Where in the training set the nearest vector of every sample stands.
  public let nearestTraining: [Int]
  /// The median of `trainingDistances`.
  public let trainingMedian: Double
  /// The median of `heldOutDistances`.
  public let heldOutMedian: Double
  /// The share of samples nearer to the training set than to the held-out one; ties count half.
  public let nearerToTraining: Double
  /// What that share is when samples owe nothing to single training pictures: the training set's
  /// part of all vectors compared with.
  public let expectedNearer: Double
  /// The number of samples equal to a training vector.
  public let exactCopies: Int
  /// The number of samples within `copyDistance` of a training vector, exact ones included.
  public let nearCopies: Int
  /// The distance up to which a sample counts as a near copy.
  public let copyDistance: Double
  /// The number of samples less than a third as far from the nearest training vector as from the
  /// second nearest (Yoon et al. 2023); a picture that the training set holds twice escapes it.
  public let memorized: Int

  /// Compares samples `[N, ...]` with training and held-out pictures or features of the same shape.
  ///
  /// - Throws: `EvaluationError` when there are no samples or too few vectors to compare with.
  public init(
    of samples: Tensor, training: Tensor, heldOut: Tensor, copyDistance: Double = 0
  ) throws(EvaluationError) {
    guard samples.size(0) > 0, training.size(0) > 1, heldOut.size(0) > 0 else {
      throw EvaluationError(
        "memorisation needs samples, two training pictures and a held-out one, and there are "
          + "\(samples.size(0)), \(training.size(0)) and \(heldOut.size(0)).")
    }
    try samples.requireFinite("samples")
    let x = samples.flattened(from: 1)
    let trained = NearestNeighbours(of: x, in: training.flattened(from: 1), count: 2)
    let held = NearestNeighbours(of: x, in: heldOut.flattened(from: 1), count: 1)
    let (nearest, second) = (trained.distances[0], trained.distances[1])
    (trainingDistances, heldOutDistances) = (nearest, held.distances[0])
    nearestTraining = trained.places[0]
    (trainingMedian, heldOutMedian) = (median(nearest), median(heldOutDistances))
    let wins = zip(nearest, heldOutDistances).map { $0 < $1 ? 1 : $0 == $1 ? 0.5 : 0 }
    nearerToTraining = wins.reduce(0, +) / Double(wins.count)
    expectedNearer =
      Double(training.size(0)) / Double(training.size(0) + heldOut.size(0))
    exactCopies = nearest.count { $0 == 0 }
    nearCopies = nearest.count { $0 <= copyDistance }
    self.copyDistance = copyDistance
    memorized = zip(nearest, second).count { $0 < $1 / 3 }
  }
}

/// The nearest vectors of a set, by rank and then by row.
struct NearestNeighbours {
  /// Distances in float64, ascending by rank.
  let distances: [[Double]]
  /// Where the neighbours stand.
  let places: [[Int]]

  /// The `count` nearest of `[M, D]` to every row of `[N, D]`.
  init(of rows: Tensor, in set: Tensor, count: Int) {
    let found = SquaredDistances(rows, set).smallest(count).columns  // [N, count]
    let ranked = (0..<count).map { rank -> (distances: [Double], places: [Int]) in
      let places = found.selected(1, rank)
      return (exactDistances(rows, set.selected(0, at: places)), places.elements())
    }
    // Rounding in the search may have swapped neighbours that are equally near.
    let order = (0..<rows.size(0)).map { row in
      (0..<count).sorted { ranked[$0].distances[row] < ranked[$1].distances[row] }
    }
    distances = (0..<count).map { rank in
      order.enumerated().map { ranked[$1[rank]].distances[$0] }
    }
    places = (0..<count).map { rank in order.enumerated().map { ranked[$1[rank]].places[$0] } }
  }
}

/// The distance of every row `[N, D]` to the same row of another matrix, by differences in float64.
func exactDistances(_ a: Tensor, _ b: Tensor) -> [Double] {
  (a.to(.float64) - b.to(.float64)).square().sum([1]).sqrt().elements()
}

/// The middle value, or the mean of the two in the middle.
private func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
