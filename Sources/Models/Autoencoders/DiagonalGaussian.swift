import Foundation
import NeuralNets
import Torch

/// A normal distribution with independent dimensions: the posterior q(z | x) of a VAE.
public struct DiagonalGaussian {
  /// μ, `[N, D]` or `[N, C, H, W]`.
  public let mean: Tensor
  /// log σ², as μ.
  public let logVariance: Tensor
  /// Both side by side, where they came so.
  private let moments: Tensor?

  /// The distribution with this mean and log-variance.
  public init(mean: Tensor, logVariance: Tensor) {
    (self.mean, self.logVariance, moments) = (mean, logVariance, nil)
  }

  /// The distribution whose mean and log-variance are the halves of `moments`, `[N, 2D]`.
  public init(moments: Tensor) {
    let halves = moments.chunked(2, 1)
    (mean, logVariance, self.moments) = (halves[0], halves[1], moments)
  }

  /// μ + σ · ε with ε drawn from N(0, 1): the reparameterisation of Kingma & Welling 2014, §2.4.
  public func sample(using generator: Generator) -> Tensor {
    sample(noise: Tensor.randn(mean.shape, using: generator).to(mean.device).to(mean.dtype))
  }

  /// μ + σ · ε for a given ε, as μ.
  public func sample(noise: Tensor) -> Tensor {
    mean + noise * (0.5 * logVariance).exp()
  }

  /// KL(q ‖ N(0, 1)) of every dimension, as μ, in nats: ½ (μ² + σ² − 1 − log σ²)
  /// (Kingma & Welling 2014, appendix B).
  public var klPerDimension: Tensor {
    0.5 * (mean.square() + logVariance.exp() - 1 - logVariance)
  }

  /// μ + σ · ε for a given ε, and KL(q ‖ N(0, 1)) of every dimension averaged over the batch: as μ, and
  /// `[D]` or `[C, H, W]`.
  public func draw(noise: Tensor) -> (z: Tensor, klPerDimension: Tensor) {
    guard let moments, moments.rank == 2 else {
      return (sample(noise: noise), klPerDimension.mean([0]))
    }
    return moments.gaussianDraw(noise: noise)
  }

  /// KL(q ‖ N(0, 1)) summed over dimensions, `[N]` nats.
  public var kl: Tensor { klPerDimension.flattened(from: 1).sum([1]) }

  /// log q(z) summed over dimensions, for `z` `[..., N, D]`: `[..., N]` nats.
  public func logDensity(_ z: Tensor) -> Tensor {
    let squared = (z - mean).square() * (-logVariance).exp()
    return -0.5 * (squared + logVariance + log(2 * Double.pi)).sum([-1])
  }

  /// log N(z; 0, 1) summed over dimensions, for `z` `[..., D]`: `[...]` nats.
  public static func standardLogDensity(_ z: Tensor) -> Tensor {
    -0.5 * (z.square() + log(2 * Double.pi)).sum([-1])
  }
}
