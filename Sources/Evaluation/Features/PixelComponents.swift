import Torch

/// The directions in which the pixels of a set vary most, as features of pictures: plain, but the
/// same for every family.
public struct PixelComponents {
  private let mean: Tensor
  private let directions: Tensor

  /// Pixels of a picture from which on the whole covariance, whose eigenvectors are the components,
  /// would take minutes.
  private static let mostForCovariance = 1024

  /// The first `count` principal components of pictures `[N, C, H, W]`.
  ///
  /// Of large pictures they are found by orthogonal iteration from a random start (Halko et al. 2011,
  /// algorithm 4.4), which leaves out the covariance: those of which the data has clearly more than of
  /// the next ones are exact, the others span nearly the same space.
  public init(of pictures: Tensor, count: Int) {
    let x = pictures.flattened(from: 1).to(.float64)
    let width = x.size(1)
    let kept = min(count, width)
    guard width > Self.mostForCovariance else {
      let statistics = FeatureStatistics(x)
      let vectors = statistics.covariance.symmetricEigen().vectors  // ascending
      mean = statistics.mean
      directions = vectors.narrowed(1, width - kept, kept)
      return
    }
    mean = x.mean([0])
    let centred = x - mean
    let more = min(kept + 16, width)
    var basis = Tensor.randn([width, more], using: Generator(seed: 0)).to(.float64)
    for _ in 0..<8 {
      basis = centred.transposed().matmul(centred.matmul(basis)).qr().q  // [width, more]
    }
    let seen = centred.matmul(basis)  // [N, more]
    let vectors = seen.transposed().matmul(seen).symmetricEigen().vectors
    directions = basis.matmul(vectors.narrowed(1, more - kept, kept))
  }

  /// `[N, C, H, W]` to `[N, count]`.
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    (pictures.flattened(from: 1).to(.float64) - mean).matmul(directions)
  }
}
