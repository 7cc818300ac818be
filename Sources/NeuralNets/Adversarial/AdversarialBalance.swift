import Torch

/// How the game stands, read off one batch's scores.
public struct AdversarialBalance: Sendable {
  /// The game's value V(D, G) = mean log D(x) + mean log(1 − D(G(z))) (Goodfellow et al. 2014,
  /// eq. 1): 0 where the discriminator is always right, −log 4 where it knows nothing.
  ///
  /// D is the score's sigmoid; for `lsgan` the score itself, held between 10⁻⁶ and 1 − 10⁻⁶; for
  /// `relativistic` the sigmoid of what a score is above the middle of both means, because these
  /// scores have no zero. For `wgan` the value is the critic's difference, mean D(x) − mean D(G(z)).
  public let value: Double
  /// Of real samples the mean probability, where scores are logits; the mean score otherwise.
  public let realScore: Double
  /// Of generated samples the mean probability, where scores are logits; the mean score otherwise.
  public let fakeScore: Double
  /// The share told right, real and generated samples counting half each: scores from
  /// `AdversarialLoss.threshold` on are called real, or from the middle of both means on where there
  /// is none.
  public let accuracy: Double

  /// Measures scores of any shape; nothing is recorded.
  public init(_ loss: AdversarialLoss, real: Tensor, fake: Tensor) {
    let real = real.detached().to(.float64)
    let fake = fake.detached().to(.float64)
    let middle = (real.mean().item() + fake.mean().item()) / 2

    value =
      switch loss {
      case .minimax, .nonSaturating, .hinge:
        (real.logSigmoid().mean() + (-fake).logSigmoid().mean()).item()
      case .relativistic:
        ((real - middle).logSigmoid().mean() + (middle - fake).logSigmoid().mean()).item()
      case .lsgan:
        (Self.probability(real).log().mean() + (1 - Self.probability(fake)).log().mean()).item()
      case .wgan:
        (real.mean() - fake.mean()).item()
      }

    realScore = (loss.scoresAreLogits ? real.sigmoid() : real).mean().item()
    fakeScore = (loss.scoresAreLogits ? fake.sigmoid() : fake).mean().item()

    let threshold = loss.threshold ?? middle
    let realRight = (real .>= threshold).to(.float64).mean()
    let fakeRight = (fake .< threshold).to(.float64).mean()
    accuracy = (realRight + fakeRight).item() / 2
  }

  private static func probability(_ score: Tensor) -> Tensor {
    score.clamped(min: 1e-6, max: 1 - 1e-6)
  }
}
