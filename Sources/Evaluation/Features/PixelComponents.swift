import Torch

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
