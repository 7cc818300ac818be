import Evaluation
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
}
