import Datasets
import Models
import Torch
import Training

/// What each dimension of an autoencoder's code does on a set of pictures: how much it varies, and
/// for a variational one how much it says.
public struct LatentDimensions {
  /// The codes, the posterior's means of a variational autoencoder, `[N, D]`.
  public let codes: Tensor
  /// The variance of the codes in every dimension, `[D]`; that of a single code is 0.
  public let variances: [Double]
  /// KL(q(z | x) ‖ N(0, 1)) of every dimension, averaged over the pictures, nats; `nil` for a
  /// deterministic autoencoder.
  public let kl: [Double]?

  /// The dimensions of posteriors over N pictures.
  public init(of posterior: DiagonalGaussian) {
    self.init(codes: posterior.mean, kl: posterior.klPerDimension.mean([0]).elements())
  }

  /// The dimensions of codes `[N, D]`, at least one, with the mean KL of each where there is one.
  public init(codes: Tensor, kl: [Double]? = nil) {
    precondition(codes.rank == 2 && codes.size(0) > 0, "codes are [N, D], not \(codes.shape)")
    self.codes = codes
    self.kl = kl
    variances =
      codes.size(0) > 1
      ? codes.variance([0]).elements() : Array(repeating: 0, count: codes.size(1))
  }

  /// The dimensions of a run's codes of some elements of a set. Throws when a picture cannot be
  /// read.
  public init(
    of run: TrainedAutoencoder, on set: any Dataset, at indices: some RandomAccessCollection<Int>
  ) throws {
    var posteriors: [DiagonalGaussian] = []
    var codes: [Tensor] = []
    var rest = indices[...]
    while !rest.isEmpty {
      let pictures = try set.pictures(rest.prefix(500))
      rest = rest.dropFirst(500)
      switch run.autoencoder.config.kind {
      case .variational: posteriors.append(run.posterior(pictures))
      case .deterministic: codes.append(run.encode(pictures))
      }
    }
    guard posteriors.isEmpty else {
      self.init(
        of: DiagonalGaussian(
          mean: .concatenated(posteriors.map(\.mean)),
          logVariance: .concatenated(posteriors.map(\.logVariance))))
      return
    }
    self.init(codes: .concatenated(codes))
  }

  /// The number of dimensions whose codes vary by more than 0.01 over the data (Burda et al. 2016,
  /// §2.1): the others carry nothing.
  public var activeUnits: Int { variances.count { $0 > 0.01 } }

  /// The dimensions from the one that varies most to the one that varies least.
  public var byVariance: [Int] {
    variances.indices.sorted { (variances[$0], $1) > (variances[$1], $0) }
  }
}
