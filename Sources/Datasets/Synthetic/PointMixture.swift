import Foundation
import Interchange

/// Points in the plane drawn from a mixture of equal round Gaussians: the toy sets on which mode
/// collapse shows.
///
/// Point i of a split depends on (seed, split, i) alone. The label is the mode. Fingerprint: name,
/// seed, split and count, which determine every point.
public struct PointMixture: Dataset {
  /// `ring8` or `grid25`.
  public let name: String
  /// The number of points.
  public let count: Int
  /// The middle of each mode.
  public let centres: [(x: Double, y: Double)]
  /// The standard deviation of each mode along each axis.
  public let sigma: Double
  private let seed: UInt64
  private let split: Split

  /// Eight modes on a circle of radius 2, σ = 0.02 (Metz et al., "Unrolled generative adversarial
  /// networks", 2017).
  public static func ring8(split: Split, seed: UInt64 = 0) -> PointMixture {
    let centres = (0..<8).map { mode in
      let angle = Double(mode) * .pi / 4
      return (x: 2 * cos(angle), y: 2 * sin(angle))
    }
    return PointMixture("ring8", centres, sigma: 0.02, split, seed)
  }

  /// Twenty-five modes at {−4, −2, 0, 2, 4}², σ = 0.05 (Lin et al., "PacGAN", 2018).
  public static func grid25(split: Split, seed: UInt64 = 0) -> PointMixture {
    let steps: [Double] = [-4, -2, 0, 2, 4]
    let centres = steps.flatMap { y in steps.map { x in (x: x, y: y) } }
    return PointMixture("grid25", centres, sigma: 0.05, split, seed)
  }

  /// The mixture that the catalog lists under `name`, or nil where that names something else.
  public static func named(_ name: String, split: Split) -> PointMixture? {
    switch name {
    case "ring8": ring8(split: split)
    case "grid25": grid25(split: split)
    default: nil
    }
  }

  private init(
    _ name: String, _ centres: [(x: Double, y: Double)], sigma: Double, _ split: Split,
    _ seed: UInt64
  ) {
    self.name = name
    self.centres = centres
    self.sigma = sigma
    self.split = split
    self.seed = seed
    count = split == .train ? 50_000 : 10_000
  }

  /// Half the side of a square around the origin to look at the set in: every mode lies in its
  /// inner four fifths, and the rest is room for samples that miss.
  public var extent: Double { 1.25 * (centres.map { max(abs($0.x), abs($0.y)) }.max() ?? 1) }

  /// The points of some indices, in the precision that a network sees them in.
  public func points(_ range: Range<Int>) -> [(x: Double, y: Double)] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "the set has \(count) points, asked for \(range)")
    return range.map { index in
      let point = point(at: index)
      return (x: Double(point.x), y: Double(point.y))
    }
  }

  /// `[2]`.
  public var elementShape: [Int] { [2] }
  /// Always floats.
  public var elementKind: ElementKind { .floats }
  /// The numbers of the modes.
  public var classNames: [String]? { centres.indices.map(String.init) }
  /// SHA-256 of name, seed, split and count.
  public var fingerprint: String {
    Fingerprint.of(Array("\(name) \(seed) \(split) \(count)".utf8))
  }

  /// Draws one point.
  public func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) {
    let point = point(at: index)
    destination.storeBytes(of: point.x, toByteOffset: 0, as: Float.self)
    destination.storeBytes(of: point.y, toByteOffset: 4, as: Float.self)
  }

  /// Point `index`, by the method of Box and Muller.
  private func point(at index: Int) -> (x: Float, y: Float) {
    var generator = generator(index)
    let centre = centres[generator.below(centres.count)]
    let radius = sigma * sqrt(-2 * log(1 - generator.uniform()))
    let angle = 2 * Double.pi * generator.uniform()
    return (
      x: Float(centre.x + radius * cos(angle)), y: Float(centre.y + radius * sin(angle))
    )
  }

  /// The mode that a point was drawn from.
  public func label(at index: Int) -> Int? {
    var generator = generator(index)
    return generator.below(centres.count)
  }

  private func generator(_ index: Int) -> SplitMix64 {
    SplitMix64(seed, split == .train ? 0 : 1, UInt64(index))
  }
}
