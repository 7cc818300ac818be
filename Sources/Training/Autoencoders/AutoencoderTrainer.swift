import Datasets
import Images
import Torch

/// Trains an autoencoder: the encoder's code has to be enough for the decoder to give the picture
/// back (Hinton & Salakhutdinov 2006).
///
///     repeat
///       x  ← a batch of pictures
///       x′ ← decoder(encoder(x))
///       descend ∇ −log p(x | x′)
public final class AutoencoderTrainer: OneNetworkTrainer {
  /// Network, optimizer and data.
  public let training: AutoencoderTraining

  /// A trainer over what a training holds.
  public init(_ training: AutoencoderTraining) {
    self.training = training
  }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    let network = training.network
    while !session.isDone {
      let (x, share) = try training.nextBatch()
      let (loss, norm) = try training.learning.descend(
        training.parts(of: share), step: session.position.step, progress: session.progress
      ) { part in
        let x = part(x)
        let output = network.decodeOutput(network.encode(x))
        return network.meanReconstructionLoss(x, output: output)
      }
      try session.completeStep(self, samples: share.wholeCount, metrics: [("loss", loss)] + norm)
    }
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "reconstruction") }
  /// The mean reconstruction loss on held-out pictures, nats, and the mean squared error.
  public func validate() throws -> [(name: String, value: Double)] {
    try training.learning.average.withAverages { () throws in
      let measured = try training.network.measureReconstruction(on: training.test)
      return [("reconstruction", measured.loss), ("mse", measured.meanSquaredError)]
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
