import Interchange
import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct SigmaSpacingTests {
  private let fixture: Fixture
  private let training: TrainingSigmas

  init() throws {
    fixture = try Fixture("schedulers_sigma/spacing")
    training = try TrainingSigmas(SchedulerConfig())
  }

  @Test func quantilesOfTheBetaDistribution() throws {
    for (name, a, b) in [("0.6", 0.6, 0.6), ("2, 0.5", 2, 0.5), ("1, 3", 1.0, 3.0)] {
      let shares: [Double] = try fixture["beta/\(name)/p"].elements()
      let distribution = BetaDistribution(a: a, b: b)
      expectClose(
        Tensor(shares.map(distribution.quantile)), try fixture["beta/\(name)/x"], rtol: 1e-9,
        atol: 0, name)
    }
  }

  @Test(arguments: [1, 2, 10, 25])
  func spacings(_ count: Int) throws {
    let (largest, smallest) = (14.6146, 0.0292)
    let spacings: [(String, SigmaSpacing)] = [
      ("karras", .karras), ("exponential", .exponential), ("beta", .beta), ("lu", .lu),
    ]
    for (name, spacing) in spacings {
      let sigmas = try #require(try spacing.sigmas(from: largest, to: smallest, count: count))
      expectClose(
        Tensor(sigmas), try fixture["\(name)/\(count)"], rtol: 1e-9, atol: 0, name)
    }
    #expect(try SigmaSpacing.schedule.sigmas(from: 1, to: 0, count: count) == nil)
  }

  @Test func betweenSigmasAndTimesteps() throws {
    let sigmas: [Double] = try fixture["sigmas"].elements()
    expectClose(
      Tensor(sigmas.map(training.timestep)), try fixture["sigmas/timesteps"], rtol: 1e-5,
      atol: 1e-5)
    let timesteps: [Double] = try fixture["timesteps"].elements()
    expectClose(
      Tensor(timesteps.map(training.sigma)), try fixture["timesteps/sigmas"], rtol: 1e-6, atol: 0)
  }

  @Test func zeroTerminalSignalHasALargestSigma() throws {
    var config = SchedulerConfig()
    config.rescaleBetasZeroSnr = true
    #expect(abs(try TrainingSigmas(config).largest - 4096) < 1e-3)
  }

  @Test func flowShifts() throws {
    let sigmas: [Double] = try fixture["flow"].elements()
    let shifts: [(String, FlowShift)] = [
      ("constant", .constant(3)), ("exponential", .exponential(mu: 1.15)),
      ("linear", .linear(mu: 0.8)),
    ]
    for (name, shift) in shifts {
      expectClose(
        Tensor(sigmas.map { shift($0) }), try fixture["flow/\(name)"], rtol: 1e-12, atol: 0, name)
    }
    expectClose(
      Tensor(try FlowShift.stretched(sigmas, to: 0.1)), try fixture["flow/stretched"], rtol: 1e-12,
      atol: 0)
  }

  @Test func refusals() throws {
    #expect(throws: SamplerError.self) { try SigmaSpacing.karras.sigmas(from: 1, to: 2, count: 3) }
    #expect(throws: SamplerError.self) { try SigmaSpacing.beta.sigmas(from: 1, to: 0, count: 3) }
    #expect(throws: SamplerError.self) { try FlowShift.stretched([1], to: 0.1) }
    #expect(throws: SamplerError.self) { try FlowShift.stretched([1, 0.5], to: 1) }
    var config = SchedulerConfig()
    config.useKarrasSigmas = true
    #expect(try SigmaSpacing(config) == .karras)
    config.useLuLambdas = true
    #expect(throws: SamplerError.self) { try SigmaSpacing(config) }
    #expect(throws: SamplerError.self) { try FlowShift(config, shift: 0, mu: nil) }
    config.useDynamicShifting = true
    #expect(throws: SamplerError.self) { try FlowShift(config, shift: 1, mu: nil) }
    #expect(throws: SamplerError.self) { try FlowShift(config, shift: 1, mu: 1000) }
    for betas in [[0.5], [0.1, 1], [0, 0.5], [0.1, -0.1], [0.1, .nan]] {
      var config = SchedulerConfig()
      config.numTrainTimesteps = 2
      config.trainedBetas = betas
      #expect(throws: SamplerError.self, "\(betas)") { try TrainingSigmas(config) }
    }
  }
}
