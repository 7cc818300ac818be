import Datasets
import Models
import Torch

/// Mean and standard deviation of the latents that an autoencoder gives pictures of a set, over all
/// their numbers: what makes them fit a diffusion model (Rombach et al. 2022, appendix G).
struct LatentStatistics {
  let mean: Double
  let standardDeviation: Double

  /// Measures draws from the posteriors of at most `limit` pictures, spread evenly over a set that is
  /// held in memory; without drawing: of N(μ, σ²) the square is μ² + σ² on average.
  ///
  /// Throws when a picture cannot be read, and `TrainingError` where the latents are not finite.
  init(of network: AutoencoderKL, on set: any Dataset, limit: Int) throws {
    let device = network.parameters[0].value.device
    let indices = set.spread(limit)
    var (sum, squares, count) = (0.0, 0.0, 0)
    try withoutGradients { () throws in
      for start in stride(from: 0, to: indices.count, by: 50) {
        let chosen = indices[start..<min(start + 50, indices.count)]
        let posterior = network.encode(2 * (try set.pictures(chosen).to(device)) - 1)
        sum += posterior.mean.sum().item()
        squares += (posterior.mean.square() + posterior.logVariance.exp()).sum().item()
        count += posterior.mean.count
      }
    }
    mean = sum / Double(count)
    standardDeviation = (squares / Double(count) - mean * mean).squareRoot()
    guard standardDeviation.isFinite, standardDeviation > 0 else {
      throw TrainingError(
        path: set.name,
        "the latents of these pictures have a standard deviation of \(standardDeviation), so the "
          + "autoencoder's training has diverged; train again with a lower learning_rate.")
    }
  }
}
