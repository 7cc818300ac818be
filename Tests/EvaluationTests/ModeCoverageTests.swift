import Datasets
import Evaluation
import Foundation
import Testing

@Suite struct ModeCoverageTests {
  /// Published: real points are 98.9 % of high quality (Rayleigh within 3σ) and hit every mode.
  @Test(arguments: ["ring8", "grid25"]) func realPointsFindEveryMode(name: String) throws {
    let mixture = try #require(PointMixture.named(name, split: .test))
    let real = ModeCoverage(points: mixture.points(0..<mixture.count), mixture: mixture)
    #expect(real.modeCount == mixture.centres.count && real.modesCaptured == real.modeCount)
    // The standard error of 10,000 is 0.1 %.
    #expect(abs(real.highQuality - (1 - exp(-4.5))) < 0.004)
    #expect(abs(real.entropy - log(Double(real.modeCount))) < 0.004)
    #expect(real.entropy <= log(Double(real.modeCount)) + 1e-12)
    // The mode that a point is nearest to is its label.
    var labels = [Int](repeating: 0, count: real.modeCount)
    for index in 0..<mixture.count { labels[try #require(mixture.label(at: index))] += 1 }
    for (hits, drawn) in zip(real.counts, labels) {
      #expect(hits <= drawn && Double(hits) > 0.97 * Double(drawn))
    }
  }

  @Test func collapseIsOneMode() {
    let ring = PointMixture.ring8(split: .train)
    let collapsed = ModeCoverage(
      points: Array(repeating: ring.centres[3], count: 50), mixture: ring)
    #expect(collapsed.modesCaptured == 1 && collapsed.highQuality == 1 && collapsed.entropy == 0)
    #expect(collapsed.counts == [0, 0, 0, 50, 0, 0, 0, 0])
    let centres = ModeCoverage(points: ring.centres, mixture: ring)
    #expect(centres.modesCaptured == 8 && abs(centres.entropy - log(8)) < 1e-12)
  }

  @Test func threeDeviationsAreTheLimitInAnyDirection() {
    let grid = PointMixture.grid25(split: .train)  // σ = 0.05, so 0.15
    func quality(_ x: Double, _ y: Double) -> Double {
      ModeCoverage(points: [(x: x, y: y)], mixture: grid).highQuality
    }
    #expect(quality(2.149, -4) == 1 && quality(2.151, -4) == 0)
    #expect(quality(0, 1.851) == 1 && quality(0, 1.849) == 0)
    // Along a diagonal each coordinate is within 3σ, but the distance is not.
    #expect(quality(2.105, 2.105) == 1 && quality(2.11, 2.11) == 0)
    #expect(quality(1, 1) == 0)
  }

  @Test func sharesAndEntropyOfUnevenModes() {
    let ring = PointMixture.ring8(split: .train)
    let points =
      Array(repeating: ring.centres[0], count: 3) + [ring.centres[5]]
      + [(x: 0, y: 0), (x: .nan, y: 2), (x: .infinity, y: 0), (x: 1e200, y: 1e200)]
    let coverage = ModeCoverage(points: points, mixture: ring)
    #expect(coverage.counts == [3, 0, 0, 0, 0, 1, 0, 0] && coverage.modesCaptured == 2)
    #expect(coverage.highQuality == 0.5)
    #expect(abs(coverage.entropy - (0.75 * log(4 / 3.0) + 0.25 * log(4))) < 1e-12)
    let missed = ModeCoverage(points: [(x: 0, y: 0)], mixture: ring)
    #expect(missed.modesCaptured == 0 && missed.highQuality == 0 && missed.entropy == 0)
    let none = ModeCoverage(points: [], mixture: ring)
    #expect(none.highQuality == 0 && none.counts.count == 8 && none.entropy == 0)
  }
}
