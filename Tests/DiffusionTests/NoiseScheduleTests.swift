import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct NoiseScheduleTests {
  /// Levels count from 0: ᾱ_1, ᾱ_350 and ᾱ_1000 of Ho et al. 2020 are those of 0, 349 and 999.
  @Test func figuresOfThePaper() {
    let schedule = NoiseSchedule()
    #expect(abs(schedule.alphasCumprod[0] - 0.9999) < 1e-7)
    #expect(abs(schedule.alphasCumprod[349] - 0.285) < 5e-4)
    #expect(abs(schedule.alphasCumprod[999] - 4e-5) < 1e-6)
  }

  @Test(arguments: [
    (BetaSchedule.linear, [(1000, 0.0001, 0.02), (1000, 0.00085, 0.012), (37, 0.001, 0.3)]),
    (.scaledLinear, [(1000, 0.0001, 0.02), (1000, 0.00085, 0.012), (37, 0.001, 0.3)]),
    (.sigmoid, [(1000, 0.0001, 0.02), (1000, 0.00085, 0.012), (37, 0.001, 0.3)]),
    (.cosine, [(1000, 0.0001, 0.02), (37, 0.001, 0.3)]),
    (.laplace, [(1000, 0.0001, 0.02), (37, 0.001, 0.3)]),
    (.exponential, [(1000, 0.0001, 0.02), (37, 0.0001, 0.02)]),
  ])
  func everyCourseAsInDiffusers(
    _ course: BetaSchedule, _ ranges: [(count: Int, start: Double, end: Double)]
  ) throws {
    let fixture = try Fixture("noise_schedules/schedules")
    for (count, start, end) in ranges {
      let schedule = NoiseSchedule(course, count: count, start: start, end: end)
      let name = "\(course.rawValue)/\(count)/\(start)/\(end)"
      expectClose(
        Tensor(schedule.betas.map { Float($0) }), try fixture["\(name)/betas"], rtol: 1e-6,
        atol: 1e-8, name)
      expectClose(
        Tensor(schedule.alphasCumprod.map { Float($0) }), try fixture["\(name)/alphas_cumprod"],
        rtol: 1e-5, atol: 1e-9, name)
    }
  }

  @Test func zeroTerminalSignal() throws {
    var config = SchedulerConfig()
    config.rescaleBetasZeroSnr = true
    let (plain, rescaled) = (NoiseSchedule(), NoiseSchedule(config))
    #expect(rescaled.alphasCumprod[999] == 0)
    #expect(rescaled.level(999).signalToNoise == 0)
    #expect(abs(rescaled.alphasCumprod[0] - plain.alphasCumprod[0]) < 1e-7)
    #expect(zip(rescaled.alphasCumprod, rescaled.alphasCumprod.dropFirst()).allSatisfy(>))
    // The last βs are what is left of differences in float32, and a running product is rounded
    // otherwise by processors with wider vectors: diffusers' own differ by 2e-6 between two.
    expectClose(
      Tensor(rescaled.betas.map { Float($0) }),
      try Fixture("noise_schedules/schedules")["zero snr/betas"], rtol: 1e-5, atol: 1e-6)
  }

  @Test func closedFormEqualsTheChainOfKernels() {
    let schedule = NoiseSchedule()
    var (scale, variance) = (1.0, 0.0)
    for t in 0..<350 {
      let kernel = schedule.kernel(t)
      scale *= kernel.scale
      variance = kernel.scale * kernel.scale * variance + kernel.variance
    }
    let level = schedule.level(349)
    print("350 kernels: scale off by \(scale - level.alpha), variance by", terminator: " ")
    print(variance - level.sigma * level.sigma)
    #expect(abs(scale - level.alpha) < 1e-6)
    #expect(abs(variance - level.sigma * level.sigma) < 1e-6)
  }

  @Test func closedFormEqualsTheChainInDraws() {
    let (schedule, start, count) = (NoiseSchedule(), 0.8, 20_000)
    let generator = Generator(seed: 350)
    var chain = Tensor.full([count], start)
    for t in 0..<350 {
      let kernel = schedule.kernel(t)
      chain =
        kernel.scale * chain
        + kernel.variance.squareRoot() * Tensor.randn([count], using: generator)
    }
    let jumped = schedule.jump(
      Tensor.full([count, 1], start), noise: Tensor.randn([count, 1], using: generator),
      to: Array(repeating: 349, count: count))
    let level = schedule.level(349)
    let variance = level.sigma * level.sigma
    for drawn in [chain, jumped] {
      let errors = (
        mean: abs(drawn.mean().item() - level.alpha * start)
          / (variance / Double(count)).squareRoot(),
        variance: abs(drawn.variance().item() - variance)
          / (variance * (2 / Double(count - 1)).squareRoot())
      )
      print("20000 draws, in standard errors: mean \(errors.mean), variance \(errors.variance)")
      #expect(errors.mean < 3)
      #expect(errors.variance < 3)
    }
  }

  /// q(x_{t−1} | x_t, x_0) ∝ q(x_t | x_{t−1}) q(x_{t−1} | x_0): the precisions of the two add up.
  @Test(arguments: [1, 2, 5, 20, 100, 349, 700, 999])
  func posteriorByBayesRule(_ t: Int) {
    let schedule = NoiseSchedule()
    let (kernel, before) = (schedule.kernel(t), schedule.level(t - 1))
    let precisions = (
      current: kernel.scale * kernel.scale / kernel.variance,
      start: 1 / (before.sigma * before.sigma)
    )
    let variance = 1 / (precisions.current + precisions.start)
    let posterior = schedule.posterior(t)
    // ᾱ_t has a float32's accuracy, which 1 − ᾱ_t feels most at the first levels.
    let accuracy = 2 * 0x1p-24 / (1 - schedule.alphasCumprod[t])
    func agree(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= accuracy * abs(b) }
    #expect(agree(posterior.variance, variance))
    #expect(agree(posterior.startWeight, variance * before.alpha * precisions.start))
    #expect(agree(posterior.currentWeight, variance * kernel.scale / kernel.variance))
  }

  @Test func theFirstPosteriorIsThePicture() {
    let schedule = NoiseSchedule()
    let posterior = schedule.posterior(0)
    #expect(abs(posterior.startWeight - 1) < 2 * 0x1p-24 / (1 - schedule.alphasCumprod[0]))
    #expect(posterior.currentWeight == 0)
    #expect(posterior.variance == 0)
  }
}
