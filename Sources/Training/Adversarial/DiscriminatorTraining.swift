import Models
import NeuralNets
import Torch

/// The discriminator of trainers whose networks restore pictures: its turn of the game, and how much
/// the game counts for the decoder.
final class DiscriminatorTraining {
  /// The discriminator.
  let network: DiscriminatorNetwork
  /// How it is trained.
  let learning: NetworkTraining
  private let loss: AdversarialLoss
  private let r1Gamma: Double

  /// A training at its beginning, of a discriminator whose `problem` is `nil`.
  init(
    _ config: GANConfig, loss: AdversarialLoss, r1Gamma: Double = 0,
    _ optimization: OptimizationSettings, seed: UInt64, device: Device, ranks: Ranks
  ) {
    network = DiscriminatorNetwork(config, using: Generator(seed: seed))
    network.move(to: device)
    learning = NetworkTraining(
      network, name: "discriminator", optimization, seed: seed, ranks: ranks,
      synchronizes: r1Gamma == 0)
    self.loss = loss
    self.r1Gamma = r1Gamma
  }

  /// What is told of a discriminator that does not play yet.
  static let idle: [(name: String, value: Double)] = [
    ("discriminator_loss", 0), ("accuracy", 0.5), ("value", 0),
  ]

  /// One step on the pictures of each part, `[N, C, H, W]` in −1…1: real ones, and one or more kinds
  /// of fakes, which count alike; log D(x) counts once.
  func turn(
    _ parts: BatchParts, weight: Double, step: Int, progress: Double,
    pictures: (BatchParts.Part) -> (real: Tensor, fakes: [Tensor])
  ) throws -> [(name: String, value: Double)] {
    var sum = 0.0
    var (realScores, fakeScores): ([Tensor], [Tensor]) = ([], [])
    let (_, norm) = try learning.descend(parts, step: step, progress: progress) { part in
      let (pictures, fakes) = pictures(part)
      let real = pictures.detached()
      real.requiresGradient = r1Gamma > 0
      let mine = network(real)
      let its = fakes.map { network($0.detached()) }
      let losses = its.map { loss.discriminatorLoss(real: mine, fake: $0) }
      let score = losses.dropFirst().reduce(losses[0], +) / Double(losses.count)
      sum += part.share * score.item()
      realScores.append(mine)
      fakeScores += its
      guard r1Gamma > 0 else { return score }
      return score + r1Gamma / 2 * GradientPenalty.squaredNorm(of: mine, at: real)
    }
    let balance = AdversarialBalance(
      loss, real: .concatenated(realScores), fake: .concatenated(fakeScores))
    return [
      ("discriminator_loss", sum), ("accuracy", weight * balance.accuracy),
      ("value", weight * balance.value),
    ] + norm
  }

  /// λ, the weight with which the game pulls at the decoder's last layer as hard as the
  /// reconstruction does: ‖∇ L_rec‖ / (‖∇ L_game‖ + 10⁻⁴), at most 10⁴ (Esser et al. 2021, eq. 7).
  static func adaptiveWeight(
    reconstruction: Tensor, game: Tensor, at lastLayer: Parameter
  ) -> Double {
    func pull(_ loss: Tensor) -> Double {
      loss.gradients(withRespectTo: [lastLayer.value], retainingGraph: true)[0]?.norm().item() ?? 0
    }
    return min(pull(reconstruction) / (pull(game) + 1e-4), 1e4)
  }
}
