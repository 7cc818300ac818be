import Datasets
import Models
import Torch

/// Bounds on the log-likelihood of a whole set, nats a picture.
public struct LikelihoodBounds: Sendable, Equatable {
  /// The evidence lower bound: −(reconstruction + kl).
  public var elbo: Double
  /// −log p(x | z).
  public var reconstruction: Double
  /// KL(q(z | x) ‖ N(0, 1)).
  public var kl: Double
  /// The importance-weighted bound, where one was asked for.
  public var iwae: Double?
  /// The number of pictures.
  public var count: Int
}

extension Autoencoder {
  /// The evidence lower bound over a set, one draw a picture, and the importance-weighted bound
  /// with `importanceSamples` draws (0: not computed). Throws when a picture cannot be read.
  public func measureBounds(
    on set: any Dataset, importanceSamples: Int, seed: UInt64, limit: Int = .max,
    progress: (Double) throws -> Void = { _ in }
  ) throws -> LikelihoodBounds {
    let generator = Generator(seed: seed)
    var (reconstruction, kl, weighted) = (0.0, 0.0, 0.0)
    let count = min(set.count, limit)
    let importanceBatch = max(1, 2000 / max(importanceSamples, 1))
    try withoutGradients { () throws in
      try forEachBatch(set, count, size: 500) { x in
        let bound = evidenceLowerBound(x, using: generator)
        reconstruction += bound.reconstruction.item() * Double(x.size(0))
        kl += bound.kl.item() * Double(x.size(0))
      }
      if importanceSamples > 0 {
        var done = 0
        try forEachBatch(set, count, size: importanceBatch) { x in
          weighted += importanceWeightedBound(x, samples: importanceSamples, using: generator)
            .sum().item()
          done += x.size(0)
          try progress(Double(done) / Double(count))
        }
      }
    }
    let n = Double(max(count, 1))
    return LikelihoodBounds(
      elbo: -(reconstruction + kl) / n, reconstruction: reconstruction / n, kl: kl / n,
      iwae: importanceSamples > 0 ? weighted / n : nil, count: count)
  }

  /// How well pictures come back from their codes (the posterior's mean where codes are
  /// distributions): the likelihood's loss in nats a picture, and the mean squared error a value.
  public func measureReconstruction(
    on set: any Dataset, limit: Int = .max
  ) throws -> (loss: Double, meanSquaredError: Double) {
    var (loss, squares) = (0.0, 0.0)
    let count = min(set.count, limit)
    try withoutGradients { () throws in
      try forEachBatch(set, count, size: 500) { x in
        let output = decodeOutput(encode(x))
        loss += meanReconstructionLoss(x, output: output).item() * Double(x.size(0))
        squares +=
          config.likelihood.mean(output).meanSquaredError(x).item() * Double(x.size(0))
      }
    }
    return (loss / Double(max(count, 1)), squares / Double(max(count, 1)))
  }

  private func forEachBatch(
    _ set: any Dataset, _ count: Int, size: Int, _ body: (Tensor) throws -> Void
  ) throws {
    let device = parameters[0].value.device
    for start in stride(from: 0, to: count, by: size) {
      try body(set.pictures(start..<min(start + size, count)).to(device))
    }
  }
}
