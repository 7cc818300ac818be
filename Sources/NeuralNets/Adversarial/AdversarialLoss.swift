import Torch

/// What the two sides of an adversarial game minimise.
///
/// Scores are what the discriminator gives before any sigmoid, of any shape; a loss is the mean
/// over all of them, a tensor without dimensions. The discriminator's has one mean for real and one
/// for generated samples, added.
public enum AdversarialLoss: String, Codable, Sendable, CaseIterable {
  /// The game as first written (Goodfellow et al. 2014, eq. 1): the generator minimises
  /// log(1 − D(G(z))), which hardly moves while the discriminator is sure.
  case minimax
  /// The same discriminator; the generator maximises log D(G(z)) (Goodfellow et al. 2014, sec. 3).
  case nonSaturating = "non-saturating"
  /// Least squares with a = 0, b = c = 1 (Mao et al. 2017, eq. 2).
  case lsgan
  /// The critic's difference of means (Arjovsky et al. 2017, eq. 2 and alg. 1). The critic has to
  /// be kept Lipschitz: by clipping, a gradient penalty or spectral normalisation.
  case wgan
  /// Linear up to a margin of 1 (Lim & Ye 2017; Miyato et al. 2018, eq. 16 and 17).
  case hinge
  /// Every real sample against one generated sample (Jolicoeur-Martineau 2019; Huang et al. 2024,
  /// eq. 2 with f(t) = −log(1 + e^−t)). Real and generated scores form pairs: one shape.
  case relativistic

  /// What the discriminator minimises.
  public func discriminatorLoss(real: Tensor, fake: Tensor) -> Tensor {
    switch self {
    case .minimax, .nonSaturating:
      // −log σ(s) = softplus(−s), −log(1 − σ(s)) = softplus(s)
      return (-real).softplus().mean() + fake.softplus().mean()
    case .lsgan:
      return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()
    case .wgan:
      return fake.mean() - real.mean()
    case .hinge:
      return (1 - real).relu().mean() + (1 + fake).relu().mean()
    case .relativistic:
      return (-margin(real, fake)).softplus().mean()
    }
  }

  /// What the generator minimises. `relativistic` alone needs the scores of real samples.
  public func generatorLoss(real: Tensor? = nil, fake: Tensor) -> Tensor {
    switch self {
    case .minimax:
      return -fake.softplus().mean()
    case .nonSaturating:
      return (-fake).softplus().mean()
    case .lsgan:
      return 0.5 * (fake - 1).square().mean()
    case .wgan, .hinge:
      return -fake.mean()
    case .relativistic:
      guard let real else {
        preconditionFailure("the relativistic loss compares with scores of real samples")
      }
      return margin(real, fake).softplus().mean()
    }
  }

  /// The score from which on a sample counts as real; `nil` where scores have no zero of their own.
  public var threshold: Double? {
    switch self {
    case .minimax, .nonSaturating, .hinge: 0
    case .lsgan: 0.5
    case .wgan, .relativistic: nil
    }
  }

  /// Whether a sigmoid makes probabilities of scores.
  public var scoresAreLogits: Bool {
    switch self {
    case .minimax, .nonSaturating: true
    case .lsgan, .wgan, .hinge, .relativistic: false
    }
  }

  /// By how much each real sample's score is above its partner's.
  private func margin(_ real: Tensor, _ fake: Tensor) -> Tensor {
    precondition(
      real.shape == fake.shape,
      "pairs need one shape; real scores are \(real.shape), generated ones \(fake.shape)")
    return real - fake
  }
}
