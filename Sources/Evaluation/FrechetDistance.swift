import Torch

/// Mean and covariance of feature vectors, float64: what a Fréchet distance compares.
public struct FeatureStatistics {
  /// `[D]`.
  public let mean: Tensor
  /// `[D, D]`.
  public let covariance: Tensor
  /// The number of vectors.
  public let count: Int

  /// The statistics of features `[N, D]`, N at least 2.
  public init(_ features: Tensor) {
    precondition(features.rank == 2 && features.size(0) > 1, "statistics need two vectors")
    let x = features.to(.float64)
    count = x.size(0)
    mean = x.mean([0])
    let centred = x - mean
    covariance = centred.transposed(0, 1).matmul(centred) / Double(count - 1)
  }

  /// ‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½), the squared Fréchet distance between the normal
  /// distributions of these statistics (Heusel et al. 2017, eq. 6): 0 for equal ones. It is only
  /// comparable between equal features and equal counts: few vectors make it larger.
  public func frechetDistance(to other: FeatureStatistics) -> Double {
    let root = Self.squareRoot(covariance)
    let cross = root.matmul(other.covariance).matmul(root)
    let traces = covariance.diagonal().sum() + other.covariance.diagonal().sum()
    let between = Self.eigenvalues(cross).sqrt().sum()
    return ((mean - other.mean).square().sum() + traces - 2 * between).item()
  }

  /// The symmetric root of a covariance.
  private static func squareRoot(_ matrix: Tensor) -> Tensor {
    let (values, vectors) = matrix.symmetricEigen()
    let roots = values.clamped(min: 0).sqrt()
    return (vectors * roots).matmul(vectors.transposed(0, 1))
  }

  private static func eigenvalues(_ matrix: Tensor) -> Tensor {
    ((matrix + matrix.transposed(0, 1)) / 2).symmetricEigen().values.clamped(min: 0)
  }
}

/// The directions in which the pixels of a set vary most, as features of pictures: plain, but the
/// same for every family.
public struct PixelComponents {
  private let mean: Tensor
  private let directions: Tensor

  /// The first `count` principal components of pictures `[N, C, H, W]`.
  public init(of pictures: Tensor, count: Int) {
    let x = pictures.flattened(from: 1).to(.float64)
    let statistics = FeatureStatistics(x)
    let vectors = statistics.covariance.symmetricEigen().vectors  // ascending
    let width = vectors.size(1)
    mean = statistics.mean
    directions = vectors.narrowed(1, width - min(count, width), min(count, width))
  }

  /// `[N, C, H, W]` to `[N, count]`.
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    (pictures.flattened(from: 1).to(.float64) - mean).matmul(directions)
  }
}
