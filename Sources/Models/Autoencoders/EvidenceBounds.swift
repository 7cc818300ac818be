import Foundation
import NeuralNets
import Torch

/// The negative evidence lower bound of a batch and its two terms, nats a picture.
public struct EvidenceLowerBound {
  /// −log p(x | z) for one draw z of q(z | x), `[]`.
  public let reconstruction: Tensor
  /// KL(q(z | x) ‖ N(0, 1)) of every dimension, averaged over the batch, `[D]`.
  public let klPerDimension: Tensor
  /// KL(q(z | x) ‖ N(0, 1)), `[]`.
  public let kl: Tensor

  init(reconstruction: Tensor, klPerDimension: Tensor) {
    self.reconstruction = reconstruction
    self.klPerDimension = klPerDimension
    kl = klPerDimension.sum()
  }

  /// −ELBO, `[]`.
  public var negative: Tensor { reconstruction + kl }

  /// The training objective: reconstruction + β · KL (Higgins et al. 2017), where a dimension's KL
  /// counts at least `freeBits` nats (Kingma et al. 2016, eq. 15).
  public func objective(beta: Double, freeBits: Double = 0) -> Tensor {
    let penalty = freeBits > 0 ? klPerDimension.clamped(min: freeBits).sum() : kl
    return reconstruction + beta * penalty
  }
}

extension Autoencoder {
  /// The evidence lower bound of a batch (Kingma & Welling 2014, eq. 10) with one draw a picture:
  /// summed over pixels and dimensions, averaged over the batch.
  public func evidenceLowerBound(_ x: Tensor, using generator: Generator) -> EvidenceLowerBound {
    let noise = Tensor.randn([x.size(0), config.latentDim], using: generator).to(x.device)
    return evidenceLowerBound(x, noise: noise)
  }

  /// The same with draws of N(0, 1) that are given, `[N, D]`.
  public func evidenceLowerBound(_ x: Tensor, noise: Tensor) -> EvidenceLowerBound {
    let (z, kl) = posterior(x).draw(noise: noise)
    return EvidenceLowerBound(
      reconstruction: meanReconstructionLoss(x, output: decodeOutput(z)), klPerDimension: kl)
  }

  /// The importance-weighted bound on log p(x) with k draws (Burda et al. 2016, eq. 8), `[N]` nats:
  /// log (1/k) Σ p(x | z) p(z) / q(z | x). At least the ELBO, rising with k.
  public func importanceWeightedBound(
    _ x: Tensor, samples k: Int, using generator: Generator
  ) -> Tensor {
    let posterior = posterior(x)
    let (n, d) = (x.size(0), config.latentDim)
    let z = posterior.sample(noise: .randn([k, n, d], using: generator).to(x.device))  // [k, N, D]
    let output = decodeOutput(z.reshaped([k * n, d]))
    let repeated = x.unsqueezed(0).expanded([k] + x.shape).reshaped([k * n] + x.shape.dropFirst())
    let logLikelihood = -reconstructionLoss(repeated, output: output).reshaped([k, n])
    let logWeight =
      logLikelihood + DiagonalGaussian.standardLogDensity(z) - posterior.logDensity(z)
    return logWeight.logSumExp([0]) - log(Double(k))
  }
}
