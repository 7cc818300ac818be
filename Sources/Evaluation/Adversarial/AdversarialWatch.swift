import Datasets
import Foundation
import Models
import NeuralNets
import Torch
import Training

/// Measures a generator's samples while the game goes on, and warns of collapse and of a gradient
/// that vanishes.
///
/// Pictures are measured by the entropy of the classes that the extractor finds and by coverage;
/// points by the modes that they reach.
public final class AdversarialWatch: TrainingWatch {
  private enum Measure {
    case points(PointMixture)
    case pictures(any FeatureExtractor, real: Features, realEntropy: Double?)
  }

  private let measure: Measure
  private let loss: AdversarialLoss
  private var norms: [Double] = []
  private var latest: [String: Double] = [:]
  private var warned: Set<String> = []
  /// The share of the training that was done at the last report, and when samples were measured.
  private var (progress, measuredAt) = (0.0, 0.0)

  /// A watch over a game on `training`, whose samples are compared with 1000 pictures of `held`.
  ///
  /// Throws when a picture cannot be read.
  public init(
    over recipe: GANRecipe, data: String, training: any Dataset, held: any Dataset
  ) throws {
    loss = recipe.loss
    if let mixture = PointMixture.named(training.name, split: .test) {
      measure = .points(mixture)
    } else {
      let extractor = try FeatureChoice.automatic.extractor(for: data, device: .cpu) {
        try training.inMemory()
      }
      let real = extractor(try held.pictures(held.spread(1000)))
      measure = .pictures(extractor, real: real, realEntropy: try Self.entropy(of: real))
    }
  }

  private static func entropy(of features: Features) throws -> Double? {
    guard let logits = features.logits else { return nil }
    return try ClassBalance(labels: logits.argmax(1).elements(), classes: logits.size(1))
      .normalizedEntropy
  }

  /// Points: `modes`, `high_quality`; pictures: `class_entropy` (1: even) where the extractor knows
  /// classes, `coverage`.
  public func measure(_ samples: Tensor) throws -> [(name: String, value: Double)] {
    let metrics: [(name: String, value: Double)]
    switch measure {
    case .points(let mixture):
      let coverage = ModeCoverage(points: samples.points, mixture: mixture)
      metrics = [
        ("modes", Double(coverage.modesCaptured)), ("high_quality", coverage.highQuality),
      ]
    case .pictures(let extractor, let real, _):
      // Networks that have diverged are told of by the loss.
      guard samples.isFinite().all().item() == 1 else { return [] }
      let features = extractor(samples)
      let entropy = try Self.entropy(of: features).map { [("class_entropy", $0)] } ?? []
      // Of a few held-out pictures there is no coverage to speak of.
      let coverage = try? PrecisionRecall(samples: features.vectors, real: real.vectors).coverage
      metrics = entropy + (coverage.map { [("coverage", $0)] } ?? [])
    }
    for (name, value) in metrics { latest[name] = value }
    measuredAt = progress
    return metrics
  }

  /// Each trouble is told once, when it begins, and again when it comes back.
  public func warnings(after report: StepReport) -> [String] {
    progress = report.progress
    let metrics = Dictionary(uniqueKeysWithValues: report.metrics.map { ($0.name, $0.value) })
    if let norm = metrics["generator_gradient_norm"] { norms.append(norm) }
    var troubles: [(name: String, sentence: String)] = []
    if let accuracy = metrics["accuracy"], accuracy > 0.99, norms.count >= 8 {
      let early = Array(norms.prefix(max(1, norms.count / 4))).quantile(0.5)
      let late = norms.suffix(3).reduce(0, +) / 3
      if early > 0, late / early < 0.01 {
        troubles.append(
          (
            "gradient",
            String(
              format: "the discriminator tells %.1f %% of samples apart, and the generator's "
                + "gradient has vanished: %.2g of what it was. %@", 100 * accuracy, late / early,
              loss == .minimax
                ? "The minimax loss saturates here: train with --loss non-saturating, or hold the "
                  + "discriminator back (a lower discriminator_learning_rate, r1_gamma)."
                : "Hold the discriminator back: a lower discriminator_learning_rate, r1_gamma, or "
                  + "spectral_norm.")
          ))
      }
    }
    // The first samples of any game are of few kinds.
    if measuredAt > 0.2, let sentence = collapse { troubles.append(("collapse", sentence)) }
    defer { warned = Set(troubles.map(\.name)) }
    return troubles.filter { !warned.contains($0.name) }.map(\.sentence)
  }

  /// What says that the generator draws a few kinds of samples alone.
  private var collapse: String? {
    let remedy =
      "Hold the discriminator back (r1_gamma and r2_gamma, a lower discriminator_learning_rate), or "
      + "train with --loss r3gan or wgan-gp."
    switch measure {
    case .points(let mixture):
      guard let modes = latest["modes"], modes < Double(mixture.centres.count) * 0.6 else {
        return nil
      }
      return "the samples reach \(Int(modes)) of \(mixture.centres.count) modes: mode collapse. "
        + remedy
    case .pictures(_, _, let real):
      guard let real, real > 0, let entropy = latest["class_entropy"], entropy / real < 0.7 else {
        return nil
      }
      return String(
        format: "the classes of the samples have %.0f %% of the entropy of real ones: mode "
          + "collapse. ", 100 * entropy / real) + remedy
    }
  }
}
