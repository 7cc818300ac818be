import Datasets
import Foundation

/// Which modes of a toy set samples reach.
public struct ModeFacts: Diagnosable {
  /// The modes and the samples near them.
  public let coverage: ModeCoverage

  /// The facts of samples.
  public init(of points: [(x: Double, y: Double)], mixture: PointMixture) {
    coverage = ModeCoverage(points: points, mixture: mixture)
  }

  /// What the checks of the modes said.
  public var verdicts: [Finding?] { [missingModes, lowQuality] }

  /// Modes that no sample reaches: mode collapse.
  public var missingModes: Finding? {
    let missing = coverage.modeCount - coverage.modesCaptured
    guard missing > 0 else { return nil }
    return Finding(
      "mode_collapse", figure: Double(coverage.modesCaptured),
      threshold: Double(coverage.modeCount),
      "the samples reach \(coverage.modesCaptured) of \(coverage.modeCount) modes.",
      why: "the generator draws a few kinds of samples and has lost the others.",
      remedy: "train with --loss r3gan or wgan-gp, or regularise the discriminator (r1_gamma, "
        + "r2_gamma).")
  }

  /// Samples that lie between modes.
  public var lowQuality: Finding? {
    let (share, threshold) = (coverage.highQuality, 0.5)
    guard share < threshold else { return nil }
    return Finding(
      "low_quality", figure: share, threshold: threshold,
      String(format: "%.1f %% of samples lie within 3 σ of a mode.", 100 * share),
      why: "the generator draws samples that the data does not have.",
      remedy: "train longer, or with a larger generator.")
  }
}
