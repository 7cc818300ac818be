import Models
import TestSupport
import Testing
import Torch

@Suite struct GaussianTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture("models/gaussians") }

  /// The golden distribution, its parts leaves of the graph.
  private func golden() throws -> DiagonalGaussian {
    let parts = (try fixture["mean"], try fixture["log_variance"])
    parts.0.requiresGradient = true
    parts.1.requiresGradient = true
    return DiagonalGaussian(mean: parts.0, logVariance: parts.1)
  }

  /// The weighted sum whose gradients are golden.
  private let weight = Tensor.arange(12, dtype: .float32).reshaped([4, 3]) / 4 - 1

  /// Known values, with the variance as the second number.
  @Test(arguments: [(10, 0.01, 51.8076), (1.5, 0.3, 1.37699), (0, 1, 0)])
  func divergenceHasItsKnownValues(_ mean: Double, _ variance: Double, _ nats: Double) {
    let gaussian = DiagonalGaussian(
      mean: .full([1, 1], mean), logVariance: Tensor.full([1, 1], variance).log())
    #expect(abs(gaussian.kl.item() - nats) < 1e-4)
  }

  @Test func divergenceEqualsPyTorch() throws {
    let gaussian = try golden()
    expectClose(gaussian.klPerDimension, try fixture["kl"])
    expectClose(gaussian.kl, try fixture["kl"].sum([1]))
    (gaussian.klPerDimension * weight).sum().backward()
    expectClose(try #require(gaussian.mean.gradient), try fixture["kl.mean"])
    expectClose(try #require(gaussian.logVariance.gradient), try fixture["kl.log_variance"])
  }

  @Test func drawsLetGradientsThrough() throws {
    let gaussian = try golden()
    let z = gaussian.sample(noise: try fixture["noise"])
    expectClose(z, try fixture["draw"])
    (z * weight).sum().backward()
    expectClose(try #require(gaussian.mean.gradient), try fixture["draw.mean"])
    expectClose(try #require(gaussian.logVariance.gradient), try fixture["draw.log_variance"])
  }

  @Test func drawsComeFromTheGenerator() throws {
    let gaussian = try golden()
    let noise = Tensor.randn([4, 3], using: Generator(seed: 3))
    expectEqual(gaussian.sample(using: Generator(seed: 3)), gaussian.sample(noise: noise))
  }

  @Test func densitiesEqualPyTorch() throws {
    let z = try fixture["z"]
    expectClose(try golden().logDensity(z), try fixture["log_density"])
    expectClose(DiagonalGaussian.standardLogDensity(z), try fixture["standard"])
  }

  @Test func momentsAreHalves() {
    let gaussian = DiagonalGaussian(
      moments: Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [2, 4]))
    #expect(gaussian.mean.elements(as: Float.self) == [1, 2, 5, 6])
    #expect(gaussian.logVariance.elements(as: Float.self) == [3, 4, 7, 8])
  }
}

@Suite struct LatentPathTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture("models/paths") }

  @Test(arguments: LatentPath.allCases)
  func walksAsTheReference(_ path: LatentPath) throws {
    let (start, end) = (try fixture["start"], try fixture["end"])
    let walk = path.walk(from: start, to: end, steps: 5)
    expectClose(walk, try fixture[path.rawValue])
    expectClose(walk[0], start)
    expectClose(walk[4], end)
  }

  @Test func anArcKeepsTheLength() {
    let random = Generator(seed: 2)
    let start = Tensor.randn([64], using: random)
    let other = Tensor.randn([64], using: random)
    let end = other * (start.norm() / other.norm())
    let lengths = LatentPath.spherical.walk(from: start, to: end, steps: 9).norm([1])
    expectClose(lengths, start.norm().expanded([9]), rtol: 0.01)
    let straight = LatentPath.linear.walk(from: start, to: end, steps: 9).norm([1])
    #expect(straight[4].item() < 0.9 * start.norm().item())
  }

  /// Where no arc is defined, or it is a point, the way is the straight line.
  @Test(arguments: [1.0, -1.0, 3.0])
  func linesAreStraightOnAnArcWithoutAnAngle(_ factor: Double) {
    let start = Tensor([1, -2, 0.5] as [Float])
    let walk = LatentPath.spherical.walk(from: start, to: start * factor, steps: 4)
    expectClose(walk, LatentPath.linear.walk(from: start, to: start * factor, steps: 4))
  }
}
