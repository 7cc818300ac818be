import Foundation

/// The game between a generator and its discriminator: its curves, and how the discriminator does on
/// pictures that it was trained on and on others. What is drawn is looked at by `SampleFacts`.
public struct AdversarialFacts: Sendable {
  /// How a generator's loss is made of what the discriminator says of its pictures.
  public enum Loss: String, Sendable {
    /// log (1 − D(G(z))), whose gradient vanishes where the discriminator is sure (Goodfellow et al.
    /// 2014, §3).
    case saturating
    /// −log D(G(z)).
    case nonSaturating = "non_saturating"
    /// The critic's score itself, of which there is no chance to speak of.
    case wasserstein
  }

  /// The generator's loss.
  public let loss: Loss
  /// The share of real and drawn pictures that the discriminator tells apart, report by report.
  public let discriminatorAccuracy: [Double]
  /// The norm of the generator's gradients.
  public let generatorGradientNorm: [Double]
  /// What the discriminator gives for the chance that a real picture is real; empty for a critic.
  public let realChance: [Double]
  /// The same for drawn pictures.
  public let drawnChance: [Double]
  /// The share of training and of held-out pictures that the discriminator takes for real; `nil`
  /// where it was not measured.
  public let memory: (training: Double, heldOut: Double)?

  /// All facts; the curves are means over some steps each, from the first to the last.
  public init(
    loss: Loss, discriminatorAccuracy: [Double], generatorGradientNorm: [Double],
    realChance: [Double] = [], drawnChance: [Double] = [],
    memory: (training: Double, heldOut: Double)? = nil
  ) {
    self.loss = loss
    self.discriminatorAccuracy = discriminatorAccuracy
    self.generatorGradientNorm = generatorGradientNorm
    self.realChance = realChance
    self.drawnChance = drawnChance
    self.memory = memory
  }
}

extension AdversarialFacts: Diagnosable {
  /// What the checks of the game said.
  public var verdicts: [Finding?] {
    var verdicts: [Finding?] = []
    if generatorGradientNorm.count >= 8 { verdicts.append(vanishingGradient) }
    if loss != .wasserstein {
      if discriminatorAccuracy.count >= 8 { verdicts += [discriminatorAhead, discriminatorLost] }
      if realChance.count >= 8, drawnChance.count >= 8 { verdicts.append(surePlayers) }
      if memory != nil { verdicts.append(discriminatorOverfitting) }
    }
    return verdicts
  }

  /// A discriminator that tells nearly all pictures apart over the last quarter.
  public var discriminatorAhead: Finding? {
    let (accuracy, threshold) = (discriminatorAccuracy.lastQuarter, 0.97)
    guard accuracy > threshold else { return nil }
    return Finding(
      "discriminator_ahead", figure: accuracy, threshold: threshold,
      String(
        format: "over the last quarter the discriminator tells %.1f %% of pictures apart.",
        100 * accuracy),
      why: "a discriminator that is always right has nothing to tell the generator about which way "
        + "is better"
        + (loss == .saturating ? ", least of all with a saturating loss." : "."),
      remedy:
        "lower the discriminator's learning rate or its steps, regularise it (gradient penalty, "
        + "spectral normalisation, noisy labels), or enlarge the generator.")
  }

  /// A discriminator that guesses.
  public var discriminatorLost: Finding? {
    let (accuracy, threshold) = (discriminatorAccuracy.lastQuarter, 0.51)
    guard accuracy < threshold, let best = discriminatorAccuracy.max(), best > 0.75 else {
      return nil
    }
    return Finding(
      "discriminator_lost", .note, figure: accuracy, threshold: threshold,
      String(
        format: "over the last quarter the discriminator tells %.1f %% of pictures apart, after "
          + "%.1f %% at its best.", 100 * accuracy, 100 * best),
      why:
        "either its pictures are perfect, which is rare, or it has given up and teaches nothing.",
      remedy: "look at the samples; if they are poor, raise the discriminator's learning rate or "
        + "size.")
  }

  /// Gradients of the generator that have all but gone since the beginning.
  public var vanishingGradient: Finding? {
    let quarter = max(1, generatorGradientNorm.count / 4)
    let early = Array(generatorGradientNorm.prefix(quarter)).quantile(0.5)
    let late = Array(generatorGradientNorm.suffix(quarter)).quantile(0.5)
    let threshold = 0.01
    guard early > 0, late / early < threshold else { return nil }
    return Finding(
      "vanishing_generator_gradient", figure: late / early, threshold: threshold,
      String(
        format: "the norm of the generator's gradients fell from %.3g to %.3g, to %.2g of it.",
        early, late, late / early),
      why: loss == .saturating
        ? "with the saturating loss log(1 − D(G(z))) the gradient goes with D(G(z)), which is all "
          + "but 0: the generator has stopped learning."
        : "the generator has stopped learning.",
      remedy: loss == .saturating
        ? "choose the non-saturating loss −log D(G(z)), or hold the discriminator back."
        : "hold the discriminator back: lower its learning rate or regularise it.")
  }

  /// Chances so near to 0 and 1 that the game is over.
  public var surePlayers: Finding? {
    let gap = realChance.lastQuarter - drawnChance.lastQuarter
    let threshold = 0.95
    guard gap > threshold else { return nil }
    return Finding(
      "discriminator_sure", figure: gap, threshold: threshold,
      String(
        format: "over the last quarter D is %.3f for real pictures and %.3f for drawn ones.",
        realChance.lastQuarter, drawnChance.lastQuarter),
      why: "where D is flat, so is what the generator learns from.",
      remedy: "smooth the labels, add noise to the pictures, or regularise the discriminator.")
  }

  /// A discriminator that knows its training pictures by heart: held-out pictures look drawn to it.
  public var discriminatorOverfitting: Finding? {
    guard let memory else { return nil }
    let (gap, threshold) = (memory.training - memory.heldOut, 0.15)
    guard gap > threshold else { return nil }
    return Finding(
      "discriminator_overfitting", figure: gap, threshold: threshold,
      String(
        format: "the discriminator takes %.1f %% of training pictures for real, and %.1f %% of "
          + "held-out ones.", 100 * memory.training, 100 * memory.heldOut),
      why: "it recognises its pictures instead of what makes them real, and drives the generator "
        + "towards copies or astray.",
      remedy: "train on more pictures, augment them for the discriminator, or take a smaller one.")
  }
}

extension [Double] {
  /// The mean of the last quarter, at least of one value.
  fileprivate var lastQuarter: Double {
    Moments(Array(suffix(Swift.max(1, count / 4)))).mean
  }
}
