import Datasets
import Images
import Models
import Torch

/// Trains a variational autoencoder (Kingma & Welling 2014, Algorithm 1), or a β-VAE.
///
///     repeat
///       x ← a batch of pictures
///       μ, log σ² ← encoder(x)
///       z ← μ + σ · ε,  ε drawn from N(0, 1)
///       descend ∇ [ −log p(x | z) + β · KL(N(μ, σ²) ‖ N(0, 1)) ]
public final class VAETrainer: OneNetworkTrainer {
  /// Network, optimizer and data.
  public let training: AutoencoderTraining

  /// A trainer over what a training holds.
  public init(_ training: AutoencoderTraining) {
    self.training = training
  }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    let (network, recipe) = (training.network, training.recipe)
    while !session.isDone {
      let (x, share) = try training.nextBatch()
      let noise = training.codeNoise(share)
      let beta = beta(at: session.progress)
      var (reconstruction, kl) = (0.0, 0.0)
      let (loss, norm) = try training.learning.descend(
        training.parts(of: share), step: session.position.step, progress: session.progress
      ) { part in
        let bound = network.evidenceLowerBound(part(x), noise: part(noise))
        reconstruction += part.share * bound.reconstruction.item()
        kl += part.share * bound.kl.item()
        return bound.objective(beta: beta, freeBits: recipe.freeBits)
      }
      try session.completeStep(
        self, samples: share.wholeCount,
        metrics: [("loss", loss), ("reconstruction", reconstruction), ("kl", kl)] + norm)
    }
  }

  /// The weight of the KL term when a share `progress` of the training is done: it rises in a line
  /// over the warm-up.
  func beta(at progress: Double) -> Double {
    let recipe = training.recipe
    guard recipe.klWarmup > 0 else { return recipe.beta }
    return recipe.beta * min(1, progress / recipe.klWarmup)
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "negative_elbo") }
  /// −ELBO and its terms on held-out pictures, nats.
  public func validate() throws -> [(name: String, value: Double)] {
    try training.learning.average.withAverages { () throws in
      let bound = try training.network.measureBounds(
        on: training.test, importanceSamples: 0, seed: 0)
      return [
        ("negative_elbo", -bound.elbo), ("reconstruction", bound.reconstruction), ("kl", bound.kl),
      ]
    }
  }

  /// Optimizer, averages and noise.
  public var learning: NetworkTraining { training.learning }
  /// Where its batches come from.
  public var loader: DataLoader { training.loader }
  /// Batches in a pass over the data.
  public var stepsPerEpoch: Int { training.stepsPerEpoch }
  /// Writes the averaged network.
  public func export(to run: RunFolder) throws { try training.export(to: run) }
  /// Originals, reconstructions, samples.
  public func sheet() throws -> Image { try training.sheet() }
}
