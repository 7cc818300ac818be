import Evaluation
import Foundation
import TestSupport
import Testing
import Torch

@Suite struct FrechetDistanceTests {
  @Test func equalsScipy() throws {
    let fixture = try Fixture("evaluation/frechet")
    let a = FeatureStatistics(try fixture["a"])
    let b = FeatureStatistics(try fixture["b"])
    let few = FeatureStatistics(try fixture["few"])
    let distances = [(a, b), (a, a), (few, b)].map { $0.frechetDistance(to: $1) }
    // Of a singular covariance scipy's root is good to the root of its precision.
    expectClose(Tensor(distances), try fixture["distances"], rtol: 1e-6, atol: 1e-5)
    #expect(abs(b.frechetDistance(to: a) - a.frechetDistance(to: b)) < 1e-8)
    #expect(few.isIllConditioned && !a.isIllConditioned)
  }

  @Test func ofNumbersItIsTheClosedForm() {
    // N(1, 4) and N(3, 9) along one axis, alike along the other: (1 − 3)² + (2 − 3)².
    func features(_ mean: Double, _ deviation: Double) -> Tensor {
      let unit = Tensor([-1.0, -1, 1, 1])
      let other = Tensor([-1.0, 1, -1, 1])
      let x = unit * (deviation * 0.75.squareRoot()) + mean
      return Tensor.stacked([x, other], 1)
    }
    let distance = FeatureStatistics(features(1, 2)).frechetDistance(
      to: FeatureStatistics(features(3, 3)))
    #expect(abs(distance - 5) < 1e-9)
  }

  @Test func componentsAreTheDirectionsOfMostVariance() {
    let draws = Tensor.randn([400, 3], using: Generator(seed: 1))
    let pictures = (draws * Tensor([Float(5), 0.1, 1])).reshaped([400, 1, 1, 3])
    let components = PixelComponents(of: pictures, count: 2)
    let variances: [Double] = components(pictures).variance([0]).elements()
    #expect(variances.count == 2)
    #expect(abs(variances[1] - 25) < 4 && abs(variances[0] - 1) < 0.3)
  }

  /// 36 × 36 pixels are too many for the covariance; the components are those of it all the same.
  @Test func componentsOfLargePicturesAreTheCovariances() {
    let (count, side, kept) = (120, 36, 8)
    let random = Generator(seed: 2)
    let strengths = Tensor((0..<40).map { Float(pow(0.8, Double($0))) })
    let patterns = Tensor.randn([40, side * side], using: random)
    let x = (Tensor.randn([count, 40], using: random) * strengths).matmul(patterns)
    let found = PixelComponents(of: x.reshaped([count, 1, side, side]), count: kept)
    let variances: [Double] = found(x).variance([0]).elements()
    let values: [Double] = FeatureStatistics(x.to(.float64)).covariance.symmetricEigen().values
      .elements()
    for (mine, its) in zip(variances, values.suffix(kept)) {
      #expect(abs(mine - its) < 1e-6 * its, "\(mine), \(its)")
    }
  }

  @Test func aLineThroughSizesIsNumpys() throws {
    let fixture = try Fixture("evaluation/frechet_more")
    let counts: [Int] = try fixture["counts"].elements()
    let values: [Double] = try fixture["values"].elements()
    let line = FrechetExtrapolation(
      points: zip(counts, values).map { .init(count: $0, distance: $1) })
    expectClose(Tensor([line.slope, line.distance]), try fixture["line"], rtol: 1e-9, atol: 0)
  }

  @Test func atInfiniteCountEqualDistributionsAreNoDistanceApart() throws {
    let random = Generator(seed: 3)
    let reference = FrechetDistance(
      from: FeatureStatistics(.randn([50_000, 16], using: random)))
    let samples = Tensor.randn([2000, 16], using: random)
    let found = try FrechetExtrapolation(of: samples, from: reference, using: random)
    #expect(found.points.count == 15)
    #expect(found.points.first?.count == 200 && found.points.last?.count == 2000)
    let plain = reference(to: FeatureStatistics(samples))
    #expect(found.points.last.map { abs($0.distance - plain) < 1e-9 } == true)
    // Over seeds the extrapolated value scatters by 0.013 about 0, the slope by 12.
    #expect(plain > 0.04 && abs(found.distance) < 0.026, "\(plain), \(found.distance)")
    // Dimension and count decide the bias of a standard normal: about D (D + 1) / (4 N) + D / N.
    #expect(abs(found.slope - 84) < 25, "\(found.slope)")
  }

  @Test func classesAreMeasuredByThemselves() throws {
    let (fixture, more) = (
      try Fixture("evaluation/frechet"), try Fixture("evaluation/frechet_more")
    )
    let found = ClassFrechetDistances(
      of: try fixture["b"], labels: try more["labels_b"].elements(), against: try fixture["a"],
      labels: try more["labels_a"].elements(), classes: 3)
    #expect(found.counts == [20, 20, 0])
    #expect(found.distances[2] == nil)
    let known = found.distances.compactMap(\.self)
    expectClose(Tensor(known), try more["classes"], rtol: 1e-4, atol: 0)
    #expect(found.mean == (known[0] + known[1]) / 2)
    let strict = ClassFrechetDistances(
      of: try fixture["b"], labels: try more["labels_b"].elements(), against: try fixture["a"],
      labels: try more["labels_a"].elements(), classes: 3, minimum: 21)
    #expect(strict.distances.allSatisfy { $0 == nil } && strict.mean == nil)
  }
}
