import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct PredictionTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture("noise_schedules/schedules") }

  @Test(arguments: Prediction.allCases, [0.02, 0.3, 0.71, 0.99])
  func everyWordLeadsBackToPictureAndNoise(_ prediction: Prediction, _ alpha: Double) throws {
    let (x, noise) = (try fixture["x"].to(.float64), try fixture["noise"].to(.float64))
    // The flow's circle is a straight line.
    let level = SignalLevel(
      alpha: alpha, sigma: prediction == .flow ? 1 - alpha : (1 - alpha * alpha).squareRoot())
    let noisy = level.mix(x, noise)
    let factors = [level.alpha, level.sigma].map { Tensor([$0]) }
    let said = prediction.target(x, noise: noise, alpha: factors[0], sigma: factors[1])
    expectClose(prediction.start(said, from: noisy, at: level), x, rtol: 1e-12, atol: 1e-12)
    expectClose(prediction.noise(said, from: noisy, at: level), noise, rtol: 1e-12, atol: 1e-12)
    // From this word to every other of the same circle, and to the same picture again.
    for other in Prediction.allCases where (other == .velocity) != (prediction == .flow) {
      guard other != .flow || prediction == .flow else { continue }
      let next = other.target(
        prediction.start(said, from: noisy, at: level),
        noise: prediction.noise(said, from: noisy, at: level), alpha: factors[0],
        sigma: factors[1])
      expectClose(
        other.start(next, from: noisy, at: level), x, rtol: 1e-11, atol: 1e-11, other.rawValue)
    }
  }

  @Test func velocityAsInDiffusers() throws {
    let (x, noise) = (try fixture["x"], try fixture["noise"])
    let levels = try fixture["t"].elements(as: Int.self)
    let schedule = NoiseSchedule()
    expectClose(schedule.jump(x, noise: noise, to: levels), try fixture["noisy"], rtol: 1e-6)
    let bars = Tensor(levels.map { Float(schedule.alphasCumprod[$0]) }, shape: [3, 1, 1, 1])
    expectClose(
      Prediction.velocity.target(x, noise: noise, alpha: bars.sqrt(), sigma: (1 - bars).sqrt()),
      try fixture["velocity"], rtol: 1e-6)
  }

  @Test(arguments: [0.5, 0.9, 0.995], [1.0, 2.5])
  func dynamicThresholdingAsInDiffusers(_ quantile: Double, _ most: Double) throws {
    let clipping = Clipping.dynamic(quantile: quantile, most: most)
    expectClose(
      clipping(try fixture["far"]), try fixture["dynamic/\(quantile)/\(most)"], rtol: 1e-6)
  }

  @Test func staticThresholding() throws {
    expectEqual(Clipping.fixed(0.8)(try fixture["far"]), try fixture["static/0.8"])
    expectEqual(Clipping.none(try fixture["far"]), try fixture["far"])
  }
}
