import Datasets
import Foundation

/// How many modes of a toy mixture a generator has found, and how well it hits them.
///
/// The rule of Srivastava et al., "VEEGAN" (2017), and Lin et al., "PacGAN" (2018): a sample is of
/// high quality when it lies within three standard deviations of the nearest mode's centre, and a
/// mode is captured when at least one high-quality sample is nearest to it. The distance is that in
/// the plane, so of the mixture's own points 1 − e^(−9/2) = 98.9 % are of high quality.
public struct ModeCoverage: Sendable, Equatable {
  /// The modes with at least one high-quality sample.
  public let modesCaptured: Int
  /// The modes that there are.
  public let modeCount: Int
  /// The share of all samples that are of high quality, 0 without any sample.
  public let highQuality: Double
  /// The high-quality samples of each mode, in the order of the mixture's centres.
  public let counts: [Int]
  /// Shannon's entropy −Σ p log p of the modes of high-quality samples, in nats: log `modeCount` when
  /// all modes are hit alike, 0 for one mode or none.
  public let entropy: Double

  /// Assigns every point to the mode nearest to it; points that are not finite miss all of them.
  public init(points: [(x: Double, y: Double)], mixture: PointMixture) {
    let limit = 9 * mixture.sigma * mixture.sigma
    var counts = [Int](repeating: 0, count: mixture.centres.count)
    for point in points {
      var (nearest, least) = (0, Double.infinity)
      for (mode, centre) in mixture.centres.enumerated() {
        let (dx, dy) = (point.x - centre.x, point.y - centre.y)
        let squared = dx * dx + dy * dy
        if squared < least { (nearest, least) = (mode, squared) }
      }
      if least <= limit { counts[nearest] += 1 }
    }
    let hits = counts.reduce(0, +)
    modesCaptured = counts.count { $0 > 0 }
    modeCount = counts.count
    highQuality = points.isEmpty ? 0 : Double(hits) / Double(points.count)
    entropy = counts.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let share = Double(count) / Double(hits)
      return sum - share * log(share)
    }
    self.counts = counts
  }
}
