import Foundation
import Torch

/// What a decoder's output says about a picture with values in [0, 1].
public enum Likelihood: String, Codable, Sendable, CaseIterable {
  /// Outputs are logits; each value is a coin's chance (values between 0 and 1 count in part).
  case bernoulli
  /// Outputs are means; one standard deviation for all pixels, given.
  case gaussian
  /// Outputs are means; one standard deviation for all pixels, learned with the network (the
  /// σ-VAE of Rybkin et al. 2021).
  case gaussianLearned = "gaussian-learned"
  /// Outputs are medians of Laplace distributions of scale 1: the absolute error.
  case l1

  /// −log p(x | output) summed over a picture's values: `[N, C, H, W]` both, `[N]` nats.
  ///
  /// `logSigma` is the logarithm of the standard deviation, `[]`; the Gaussians need it.
  public func negativeLogLikelihood(of x: Tensor, output: Tensor, logSigma: Tensor?) -> Tensor {
    perValue(x, output, logSigma).flattened(from: 1).sum([1])
  }

  /// The same summed over the whole batch, `[]` nats: fewer passes over memory.
  public func totalNegativeLogLikelihood(
    of x: Tensor, output: Tensor, logSigma: Tensor?
  ) -> Tensor {
    switch self {
    case .bernoulli: output.binaryCrossEntropyWithLogits(x, reduction: .sum)
    case .gaussian, .gaussianLearned, .l1: perValue(x, output, logSigma).sum()
    }
  }

  private func perValue(_ x: Tensor, _ output: Tensor, _ logSigma: Tensor?) -> Tensor {
    switch self {
    case .bernoulli:
      return output.binaryCrossEntropyWithLogits(x, reduction: .none)
    case .gaussian, .gaussianLearned:
      guard let logSigma else { preconditionFailure("a Gaussian needs its deviation") }
      // (x − μ)² / 2σ² + log σ + ½ log 2π
      return 0.5 * (x - output).square() * (-2 * logSigma).exp() + logSigma + 0.5
        * log(2 * Double.pi)
    case .l1:
      return (x - output).abs() + log(2.0)
    }
  }

  /// The expected picture, held in [0, 1].
  public func mean(_ output: Tensor) -> Tensor {
    switch self {
    case .bernoulli: output.sigmoid()
    case .gaussian, .gaussianLearned, .l1: output.clamped(min: 0, max: 1)
    }
  }

  /// Whether the likelihood has a standard deviation.
  public var hasDeviation: Bool { self == .gaussian || self == .gaussianLearned }
}
