import Datasets
import Foundation
import Models
import Torch
import Training

/// The codes of an autoencoder: what they carry, how they lie beside N(0, 1), and what is drawn from
/// there.
public struct LatentFacts {
  /// Deterministic or variational.
  public let kind: AutoencoderConfig.Kind
  /// The weight of the KL term; `nil` where it is not known or there is none.
  public let beta: Double?
  /// Dimensions whose mean code varies over the data.
  public let activeUnits: Int
  /// KL(q(z | x) ‖ N(0, 1)) of every dimension, averaged, nats; `nil` without a posterior.
  public let klPerDimension: [Double]?
  /// The mean of every dimension over the data, those of the posteriors mixed.
  public let means: [Double]
  /// The variance of every dimension, likewise.
  public let variances: [Double]
  /// The share of the pixels' variance that is in the reconstructions.
  public let explained: Double
  /// The share of fine detail in reconstructions, and in the pictures themselves.
  public let sharpness: (reconstructions: Double, real: Double)
  /// The Fréchet distance to held-out pictures of pictures decoded from N(0, 1), and of as many
  /// decoded from the codes of other pictures, with the variance of all features of the held-out
  /// ones together; `nil` where there are too few pictures.
  public let distances: (prior: Double, codes: Double, variance: Double)?

  /// Facts of one's own.
  public init(
    kind: AutoencoderConfig.Kind, beta: Double?, activeUnits: Int, klPerDimension: [Double]?,
    means: [Double], variances: [Double], explained: Double,
    sharpness: (reconstructions: Double, real: Double),
    distances: (prior: Double, codes: Double, variance: Double)?
  ) {
    self.kind = kind
    self.beta = beta
    self.activeUnits = activeUnits
    self.klPerDimension = klPerDimension
    self.means = means
    self.variances = variances
    self.explained = explained
    self.sharpness = sharpness
    self.distances = distances
  }

  /// The facts of a run on held-out pictures, whose codes and features they are; `drawn` are
  /// pictures decoded from N(0, 1).
  ///
  /// Throws when a picture cannot be read, and `EvaluationError` for pictures that are no numbers.
  init(
    of run: TrainedAutoencoder, on set: any Dataset, drawn: Tensor,
    by extractor: any FeatureExtractor, seed: UInt64
  ) throws {
    let indices = set.spread(1000)
    let pictures = try set.pictures(indices)
    let restored = run.decode(run.encode(pictures))
    try restored.requireFinite("reconstructions")
    let error = (restored - pictures).square().mean().item()
    let around = (pictures - pictures.mean([0], keepingDims: true)).square().mean().item()
    let dimensions: LatentDimensions
    let codes: Tensor
    switch run.autoencoder.config.kind {
    case .variational:
      let posterior = run.posterior(pictures)
      dimensions = LatentDimensions(of: posterior)
      codes = posterior.sample(using: Generator(seed: seed))
    case .deterministic:
      codes = run.encode(pictures)
      dimensions = LatentDimensions(codes: codes)
    }
    var distances: (prior: Double, codes: Double, variance: Double)?
    let half = min(indices.count / 2, drawn.size(0))
    if half > 20 {
      // Codes of every second picture against the others: as strange to them as draws are.
      let order = Tensor(Array(stride(from: 0, to: 2 * half, by: 2)))
      let real = FrechetDistance(
        from: FeatureStatistics(extractor(pictures.selected(0, at: order + 1)).vectors))
      let decoded = run.decode(codes.selected(0, at: order))
      distances = (
        real(to: FeatureStatistics(extractor(drawn[0..<half]).vectors)),
        real(to: FeatureStatistics(extractor(decoded).vectors)),
        real.reference.covariance.diagonal().sum().item()
      )
    }
    let manyCodes = codes.size(0) > 1
    self.init(
      kind: run.autoencoder.config.kind, beta: run.record.config["beta"]?.double,
      activeUnits: dimensions.activeUnits, klPerDimension: dimensions.kl,
      means: codes.mean([0]).elements(),
      variances: manyCodes
        ? codes.variance([0]).elements() : Array(repeating: 0, count: codes.size(1)),
      explained: around > 0 ? 1 - error / around : 1,
      sharpness: (Sharpness(of: restored).mean, Sharpness(of: pictures).mean),
      distances: distances)
  }

  /// How far the codes are from N(0, 1), by their mean m and variance v alone: the mean over the
  /// dimensions of KL(N(m, v) ‖ N(0, 1)) = ½ (m² + v − 1 − log v), nats.
  public var distanceFromPrior: Double {
    zip(means, variances).reduce(0) { sum, moments in
      let v = max(moments.1, 1e-12)
      return sum + 0.5 * (moments.0 * moments.0 + v - 1 - log(v))
    } / Double(max(means.count, 1))
  }

  /// KL(q(z | x) ‖ N(0, 1)), nats.
  public var kl: Double? { klPerDimension.map { $0.reduce(0, +) } }
}

extension LatentFacts: Diagnosable {
  /// What the checks of the codes said.
  public var verdicts: [Finding?] {
    let common = [blurredReconstructions] + (distances == nil ? [] : [holes])
    guard kind == .variational else { return [deadCode] + common }
    return [collapse, idleDimensions, mismatch] + common
  }

  private var mostActiveOfDead: Int { means.count / 10 }

  /// Codes that carry next to nothing: posterior collapse, by too strong a KL term or by itself.
  public var collapse: Finding? {
    let kl = kl ?? 0
    // Too strong a KL term leaves a code of a nat or two, and pictures that hardly depend on it. Nats
    // that only place the codes elsewhere than N(0, 1) tell nothing of a picture.
    let told = kl - distanceFromPrior * Double(means.count)
    let isDead = activeUnits <= mostActiveOfDead || told < 0.5
    let isStarved = (beta ?? 1) > 1 && explained < 0.3
    guard isDead || isStarved else { return nil }
    let strength = beta ?? 1
    if strength > 1 {
      return Finding(
        "kl_too_strong", figure: kl, threshold: 0.5,
        String(
          format: "with beta = %.4g the code carries %.2f nats in %d of %d dimensions, and the "
            + "reconstructions %.0f %% of the pixels' variance.", strength, kl, activeUnits,
          means.count, 100 * max(explained, 0)),
        why:
          "the KL term outweighs the reconstruction, so the encoder says nothing and the decoder "
          + "draws the mean picture.",
        remedy: "lower beta towards 1, or set free_bits to some tenths of a nat.")
    }
    return Finding(
      "posterior_collapse", figure: Double(activeUnits),
      threshold: Double(mostActiveOfDead + 1),
      String(
        format: "%d of %d dimensions of the code are in use, and they carry %.2f nats.",
        activeUnits, means.count, kl),
      why: "the decoder does without the code, so codes neither describe pictures nor steer them.",
      remedy: "lengthen kl_warmup, set free_bits to some tenths of a nat, lower beta or the "
        + "learning_rate, or make the decoder weaker.")
  }

  /// Many dimensions that carry nothing, in a code that carries something.
  public var idleDimensions: Finding? {
    guard collapse == nil, 2 * activeUnits < means.count else { return nil }
    return Finding(
      "idle_dimensions", .note, figure: Double(activeUnits), threshold: Double(means.count) / 2,
      "\(activeUnits) of \(means.count) dimensions of the code are in use.",
      why: "the others cost nothing and carry nothing: the data, with this beta, needs no more.",
      remedy: "nothing, or a smaller latent_dim; for more dimensions in use lower beta or lengthen "
        + "kl_warmup.")
  }

  /// Codes of the data that lie elsewhere than N(0, 1), from where codes are drawn.
  public var mismatch: Finding? {
    let threshold = 0.25
    guard collapse == nil, distanceFromPrior > threshold else { return nil }
    let spread = variances.max() ?? 0
    let said = String(
      format: "the codes of the data are %.2g nats a dimension from N(0, 1), with variances up to "
        + "%.3g; KL(q(z | x) ‖ N(0, 1)) is %.1f nats.", distanceFromPrior, spread, kl ?? 0)
    if let beta, beta < 0.1 {
      return Finding(
        "kl_too_weak", figure: distanceFromPrior, threshold: threshold,
        "with beta = \(beta) " + said,
        why: "nothing holds the codes near N(0, 1), so draws from there land where no picture is: "
          + "this is an autoencoder with noise.",
        remedy: "raise beta towards 1.")
    }
    return Finding(
      "prior_mismatch", figure: distanceFromPrior, threshold: threshold, said,
      why: "codes are drawn from N(0, 1), where the decoder has seldom been.",
      remedy: "train longer, so that the KL term does its work, raise beta, or shorten kl_warmup.")
  }

  /// A code of a deterministic autoencoder that does not vary.
  public var deadCode: Finding? {
    guard activeUnits <= mostActiveOfDead else { return nil }
    return Finding(
      "dead_code", figure: Double(activeUnits), threshold: Double(mostActiveOfDead + 1),
      "\(activeUnits) of \(means.count) dimensions of the code vary over the data.",
      why: "a code that is the same for all pictures cannot tell them apart.",
      remedy: "lower learning_rate, set gradient_clip, or choose another activation.")
  }

  /// Draws from N(0, 1) that are much further from real pictures than what is decoded from codes of
  /// the data: holes.
  public var holes: Finding? {
    guard let distances, kind == .deterministic || collapse == nil else { return nil }
    let share = (distances.prior - distances.codes) / max(distances.variance, 1e-12)
    let threshold = 0.4
    guard share > threshold else { return nil }
    let said = String(
      format: "the Fréchet distance to real pictures is %.3g for pictures decoded from N(0, 1) and "
        + "%.3g for pictures decoded from codes of the data: a difference of %.2g of the real "
        + "pictures' variance.", distances.prior, distances.codes, share)
    if kind == .deterministic {
      return Finding(
        "latent_holes", .note, figure: share, threshold: threshold, said,
        why:
          "an autoencoder leaves its codes where they fall; that is its nature, and why its draws "
          + "are broken.",
        remedy: "train a vae where new pictures are wanted.")
    }
    return Finding(
      "latent_holes", figure: share, threshold: threshold, said,
      why: "N(0, 1) reaches places where no code of the data lies, and the decoder makes no "
        + "pictures of them.",
      remedy: "raise beta, take a smaller latent_dim, or train longer.")
  }

  /// Reconstructions with much less detail than the pictures.
  public var blurredReconstructions: Finding? {
    guard kind == .deterministic || collapse == nil else { return nil }
    return blur(
      sharpness.reconstructions, of: "reconstructions", than: sharpness.real, warning: 0.02,
      note: 0.5)
  }
}

/// What there is to say about pictures with less detail than real ones: at most a note above the
/// warning's threshold.
func blur(
  _ detail: Double, of what: String, than real: Double, warning: Double, note: Double
) -> Finding? {
  guard real > 0, detail / real < note else { return nil }
  let share = detail / real
  let isWarning = share < warning
  return Finding(
    "blur", isWarning ? .warning : .note, figure: share, threshold: isWarning ? warning : note,
    String(
      format: "%@ have %.2g of the fine detail of real pictures (waves shorter than four pixels).",
      what, share),
    why: isWarning
      ? "what is drawn has outlines and little else."
      : "a decoder that is trained by the error of every pixel draws the mean of all pictures that "
        + "its code may stand for; that is its nature.",
    remedy: isWarning
      ? "train longer, with a larger network or latent_dim, or with a lower beta."
      : "nothing; for sharper pictures lower beta, take a larger latent_dim, or a diffusion model.")
}
