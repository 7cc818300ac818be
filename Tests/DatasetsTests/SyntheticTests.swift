import Foundation
import Interchange
import Testing

@testable import Datasets

@Suite struct SyntheticTests {
  /// The whole look of the set: a change here changes everybody's training data.
  @Test func shapesAreTheSameEverywhere() throws {
    let shapes = ShapesDataset(split: .train)
    var fingerprint = Fingerprint()
    for index in 0..<200 {
      let sample = try shapes.sample(at: index)
      guard case .bytes(let values) = sample.values else { continue }
      fingerprint.update(values)
      fingerprint.update(sample.caption ?? "")
    }
    #expect(fingerprint.hex == "89dc071d7077c12ebf1a5f9312511a23c495cd6d67fc8da19cc1c0aa3cf59b78")
  }

  @Test func shapesAreWhatTheirLabelsSay() throws {
    let shapes = ShapesDataset(split: .test, side: 64)
    #expect(shapes.count == 1000)
    var seen = [Int](repeating: 0, count: 8)
    for index in 0..<1000 {
      let label = try #require(shapes.label(at: index))
      let caption = try #require(shapes.caption(at: index))
      #expect(caption.hasSuffix(" " + ShapeKind.allCases[label].rawValue))
      #expect(caption.hasPrefix(caption.contains("orange") ? "an orange " : "a "))
      seen[label] += 1
    }
    #expect(seen.allSatisfy { (85...165).contains($0) })
    #expect(
      try ShapesDataset(split: .train).sample(at: 0) != ShapesDataset(split: .test).sample(at: 0))
    #expect(
      try ShapesDataset(split: .train).sample(at: 3)
        != ShapesDataset(split: .train, seed: 1).sample(at: 3))
  }

  /// Distances are signed, zero on the outline, and never grow faster than the way walked.
  @Test(arguments: ShapeKind.allCases) func outlines(kind: ShapeKind) {
    var inside = 0
    let steps = stride(from: -1.5, through: 1.5, by: 0.05)
    for y in steps {
      for x in steps {
        let here = kind.distance(x, y)
        if here < 0 { inside += 1 }
        if x * x + y * y > 1.1 * 1.1 { #expect(here > 0, "\(x) \(y)") }
        for (dx, dy) in [(0.01, 0.0), (0.0, 0.01)] {
          #expect(abs(kind.distance(x + dx, y + dy) - here) < 0.0103, "\(x) \(y)")
        }
      }
    }
    // Areas in grid cells of 0.05².
    let area = Double(inside) * 0.0025
    #expect((0.8...2.7).contains(area), "\(area)")
    #expect((kind == .ring) == (kind.distance(0, 0) > 0))
  }

  @Test(arguments: ["ring8", "grid25"]) func moments(name: String) throws {
    let points = try #require(try DatasetCatalog.open(name, split: .test) as? PointMixture)
    let isRing = name == "ring8"
    #expect(points.centres.count == (isRing ? 8 : 25))
    #expect(points.sigma == (isRing ? 0.02 : 0.05))
    var (squares, counts) = (0.0, [Int](repeating: 0, count: points.centres.count))
    for index in 0..<points.count {
      let sample = try points.sample(at: index)
      let mode = try #require(sample.label)
      guard case .floats(let values) = sample.values, values.count == 2 else { return }
      let (dx, dy) = (
        Double(values[0]) - points.centres[mode].x, Double(values[1]) - points.centres[mode].y
      )
      #expect(abs(dx) + abs(dy) < 9 * points.sigma)
      squares += dx * dx + dy * dy
      counts[mode] += 1
    }
    let deviation = (squares / Double(2 * points.count)).squareRoot()
    #expect(abs(deviation / points.sigma - 1) < 0.02)
    let expected = Double(points.count) / Double(counts.count)
    #expect(counts.allSatisfy { abs(Double($0) / expected - 1) < 0.25 })
    if isRing { #expect(points.centres.allSatisfy { abs($0.x * $0.x + $0.y * $0.y - 4) < 1e-12 }) }
    #expect(throws: DatasetError.self) {
      try DatasetCatalog.open(name, split: .train, imageSize: 8)
    }
  }

  @Test(arguments: ["ring8", "grid25"]) func pointsAreTheElements(name: String) throws {
    for split in Split.allCases {
      let mixture = try #require(PointMixture.named(name, split: split))
      #expect(mixture.name == name && mixture.count == (split == .train ? 50_000 : 10_000))
      let opened = try DatasetCatalog.open(name, split: split)
      #expect(opened.fingerprint == mixture.fingerprint)
      let points = mixture.points(7..<20)
      for (index, point) in zip(7..<20, points) {
        #expect(try opened.sample(at: index).values == .floats([Float(point.x), Float(point.y)]))
      }
      // Every point is inside the extent with room to spare, and the modes reach four fifths of it.
      let reach = mixture.points(0..<mixture.count).map { max(abs($0.x), abs($0.y)) }.max() ?? 0
      #expect(reach < mixture.extent && reach > 0.8 * mixture.extent)
      #expect(mixture.extent == (name == "ring8" ? 2.5 : 5))
      #expect(mixture.points(3..<3).isEmpty)
    }
    #expect(PointMixture.named("ring9", split: .train) == nil)
    #expect(PointMixture.named("shapes", split: .test) == nil)
  }
}
