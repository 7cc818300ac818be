import Torch

/// The squared Fréchet distance to one reference: FID, where the features are Inception's (Heusel
/// et al. 2017, eq. 6).
///
/// ‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½), with both roots by the eigenvalues of symmetric
/// matrices in float64; those that rounding makes negative count as 0. The reference's root is
/// computed once. A covariance of fewer vectors than features is singular, and its distance is
/// exact for the vectors given, but far above that of the distribution they are from.
///
/// It is only comparable between equal features and equal counts: few vectors make it larger.
public struct FrechetDistance {
  /// What the distance is measured from.
  public let reference: FeatureStatistics
  private let root: Tensor

  /// The distance from one set of features.
  public init(from reference: FeatureStatistics) {
    self.reference = reference
    guard reference.isFinite else {
      root = reference.covariance
      return
    }
    let (values, vectors) = reference.covariance.symmetricEigen()
    root = (vectors * values.clamped(min: 0).sqrt()).matmul(vectors.transposed(0, 1))
  }

  /// 0 for equal statistics, larger is worse; not a number where a feature was none.
  public func callAsFunction(to other: FeatureStatistics) -> Double {
    guard reference.isFinite, other.isFinite else { return .nan }
    let cross = root.matmul(other.covariance).matmul(root)
    let symmetric = (cross + cross.transposed(0, 1)) / 2
    let between = symmetric.symmetricEigen().values.clamped(min: 0).sqrt().sum()
    let traces = reference.covariance.diagonal().sum() + other.covariance.diagonal().sum()
    return ((reference.mean - other.mean).square().sum() + traces - 2 * between).item()
  }
}

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

  /// Whether there are too few vectors for a covariance of full rank; `KernelDistance`, which has
  /// no bias, is the measure for that.
  public var isIllConditioned: Bool { count <= mean.count }

  /// Whether all features were finite.
  public var isFinite: Bool { covariance.isFinite().all().intItem() == 1 }

  /// The squared Fréchet distance; `FrechetDistance` is for several from one reference.
  public func frechetDistance(to other: FeatureStatistics) -> Double {
    FrechetDistance(from: self)(to: other)
  }
}
