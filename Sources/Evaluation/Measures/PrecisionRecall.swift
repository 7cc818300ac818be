import Torch

/// How real samples look and how much of the real variety they have, by balls that reach from every
/// vector to its k-th neighbour in its own set: improved precision and recall (Kynkäänniemi et al.
/// 2019), density and coverage (Naeem et al. 2020).
///
/// In float64, by blocks. A vector at a ball's very rim is outside, as in Naeem et al.'s code.
public struct PrecisionRecall: Sendable, Equatable {
  /// The share of samples inside of any real vector's ball.
  public let precision: Double
  /// The share of real vectors inside of any sample's ball. Outliers among the samples have large
  /// balls and may raise it.
  public let recall: Double
  /// The mean number of real balls that a sample lies in, over k; may exceed 1.
  public let density: Double
  /// The share of real balls with a sample inside.
  public let coverage: Double
  /// The k of the k-th neighbour.
  public let neighbours: Int
  /// The number of real vectors.
  public let realCount: Int
  /// The number of samples.
  public let sampleCount: Int

  /// Measures samples `[M, D]` against real vectors `[N, D]`.
  ///
  /// - Throws: `EvaluationError` when a side has no more than `neighbours` vectors.
  public init(
    samples: Tensor, real: Tensor, neighbours: Int = 5
  ) throws(EvaluationError) {
    precondition(neighbours > 0, "no neighbours")
    (realCount, sampleCount) = (real.size(0), samples.size(0))
    self.neighbours = neighbours
    guard min(realCount, sampleCount) > neighbours else {
      throw EvaluationError(
        "precision and recall by the \(neighbours)-th neighbour need more than \(neighbours) "
          + "vectors a side, and there are \(min(realCount, sampleCount)).")
    }
    try real.requireFinite("real features")
    try samples.requireFinite("features of the samples")
    let (x, y) = (real.to(.float64), samples.to(.float64))
    let realRadii = squaredRadii(x, neighbours)  // [N]
    let sampleRadii = squaredRadii(y, neighbours)  // [M]
    var nearestRim = Tensor.full([sampleCount], Double.infinity, dtype: .float64)
    var (inBalls, recalled, covered) = (0, 0, 0)
    SquaredDistances(x, y).forEachBlock { rows, distances in  // [rows, M]
      let radii = realRadii.narrowed(0, rows.lowerBound, rows.count)
      let beyond = distances - radii.unsqueezed(1)
      nearestRim = nearestRim.minimum(beyond.min([0]))
      inBalls += (beyond .< 0).sum().intItem()
      covered += (beyond.min([1]) .< 0).sum().intItem()
      recalled += ((distances - sampleRadii).min([1]) .< 0).sum().intItem()
    }
    precision = (nearestRim .< 0).sum().item() / Double(sampleCount)
    recall = Double(recalled) / Double(realCount)
    density = Double(inBalls) / Double(neighbours * sampleCount)
    coverage = Double(covered) / Double(realCount)
  }
}

/// The squared distance of every vector to its k-th neighbour, itself not counted, less what rounding
/// may move a vector that is on the rim, or a copy where the distance is 0, to the inside by.
private func squaredRadii(_ x: Tensor, _ k: Int) -> Tensor {
  let distances = SquaredDistances(x, x)
  let radii = distances.smallest(k + 1).values.narrowed(1, k, 1).squeezed(1)
  return radii * (1 - 1e-9) - distances.tolerance
}
