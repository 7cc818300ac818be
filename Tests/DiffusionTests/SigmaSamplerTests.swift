import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct SigmaSamplerTests {
  private static let classes: [SchedulerClass] = [
    .euler, .eulerAncestral, .heun, .lms, .dpm2, .dpm2Ancestral, .edmEuler, .flowEuler, .flowHeun,
  ]

  @Test(arguments: SamplingCase.all(in: "schedulers_sigma"))
  func everyStepAsInDiffusers(_ sampling: SamplingCase) throws {
    // diffusers finds the lower level of an ancestral step as a small difference in float32.
    let isRough = sampling.scheduler == SchedulerClass.dpm2Ancestral.rawValue
    try sampling.check(
      against: Fixture("schedulers_sigma/trajectories"), told: isRough ? 1e-4 : 1e-6)
  }

  @Test func weightsOfTheMultistepMethodAreExactForCubics() {
    let nodes = [14.6, 7.5, 3.1, 2.0]
    let weights = LMSSampler.weights(nodes, from: 2, to: 0.7)
    for power in 0...3 {
      let sum = zip(weights, nodes).map { $0 * pow($1, Double(power)) }.reduce(0, +)
      let integral = (pow(0.7, Double(power + 1)) - pow(2, Double(power + 1))) / Double(power + 1)
      #expect(abs(sum - integral) < 1e-10 * max(1, abs(integral)), "power \(power)")
    }
  }

  @Test func chosenSigmasAreVisitedAndEndAtZero() throws {
    for list in [[14.0, 3, 0.5], [14.0, 3, 0.5, 0]] {
      #expect(try EulerSampler(.init(), .sigmas(list)).levels.sigmas == [14, 3, 0.5, 0])
      let edm = try EDMEulerSampler(SchedulerClass.edmEuler.defaults, .sigmas(list))
      #expect(edm.levels.sigmas == [14, 3, 0.5, 0])
    }
    #expect(
      try FlowEulerSampler(.init(), .sigmas([1, 0.4, 0])).levels.sigmas == [1, 0.4, 0])
  }

  @Test func ancestralStepsKeepTheNextLevel() {
    let step = AncestralStep(from: 14, to: 3)
    #expect(abs(step.down * step.down + step.up * step.up - 9) < 1e-12)
    #expect(AncestralStep(from: 1, to: 0).up == 0)
    #expect(AncestralStep(from: 1, to: 1).up == 0)
  }

  /// Every class either refuses or samples finite pictures, whatever a file says.
  @Test(arguments: classes) func oddConfigurations(_ schedulerClass: SchedulerClass) throws {
    let changes: [(String, (inout SchedulerConfig) -> Void)] = [
      ("none", { _ in }),
      ("no levels", { $0.numTrainTimesteps = 0 }),
      ("negative levels", { $0.numTrainTimesteps = -5 }),
      ("one level", { $0.numTrainTimesteps = 1 }),
      ("endless levels", { $0.numTrainTimesteps = .max }),
      ("equal betas", { $0.betaStart = 0.02 }),
      ("betas of zero", { ($0.betaStart, $0.betaEnd) = (0, 0) }),
      ("betas of one", { ($0.betaStart, $0.betaEnd) = (1, 1) }),
      ("few betas", { $0.trainedBetas = [0.1] }),
      ("negative betas", { $0.betaStart = -1 }),
      ("far offset", { ($0.stepsOffset, $0.timestepSpacing) = (.max, .leading) }),
      ("two spacings", { ($0.useKarrasSigmas, $0.useBetaSigmas) = (true, true) }),
      ("karras", { $0.useKarrasSigmas = true }),
      ("exponential", { $0.useExponentialSigmas = true }),
      ("beta", { $0.useBetaSigmas = true }),
      (
        "no smallest sigma",
        { ($0.sigmaMin, $0.useExponentialSigmas, $0.sigmaSchedule) = (0, true, .exponential) }
      ),
      ("sigmas upside down", { ($0.sigmaMin, $0.sigmaMax, $0.useKarrasSigmas) = (9, 1, true) }),
      ("no sigmas", { ($0.sigmaMin, $0.sigmaMax) = (nil, nil) }),
      ("no rho", { $0.rho = 0 }), ("no data", { $0.sigmaData = 0 }),
      ("other words", { ($0.interpolationType, $0.timestepType) = (.logLinear, .continuous) }),
      ("no shift", { $0.shift = 0 }), ("negative shift", { $0.shift = -1 }),
      ("dynamic", { $0.useDynamicShifting = true }),
      ("terminal", { $0.shiftTerminal = 0.1 }), ("terminal of one", { $0.shiftTerminal = 1 }),
      ("inverted", { $0.invertSigmas = true }),
      ("inverted noise", { ($0.invertSigmas, $0.stochasticSampling) = (true, true) }),
      ("flow", { $0.predictionType = .flow }), ("sample", { $0.predictionType = .sample }),
      ("zero signal", { $0.rescaleBetasZeroSnr = true }),
      ("to the smallest", { $0.finalSigmasType = .sigmaMin }),
    ]
    let requests: [SamplingLevels] = [
      .steps(0), .steps(-1), .steps(1), .steps(2), .steps(7), .steps(.max), .timesteps([]),
      .timesteps([0]), .timesteps([900, 3, 0]), .timesteps([3, 900]), .timesteps([5000]),
      .sigmas([]), .sigmas([0]), .sigmas([1, 0.5]), .sigmas([80, 0.5, 0]), .sigmas([.infinity]),
    ]
    for (name, change) in changes {
      var config = schedulerClass.defaults
      change(&config)
      for request in requests {
        guard let sampler = try? schedulerClass.sampler(config, request) else { continue }
        var x = Tensor.randn([1, 1, 2, 2], using: Generator(seed: 1)) * sampler.initialScale
        var memory = SamplerMemory()
        let noise = NoiseSource(seed: 0, count: 1)
        for index in sampler.timesteps.indices {
          let output = sampler.modelInput(x, at: index).tanh()
          let step = sampler.step(output, at: index, from: x, memory: &memory, noise: noise)
          x = step.sample
          let isFinite = (x * 0 + step.denoised! * 0).abs().sum().item() == 0
          let isTold = sampler.timesteps[index].isFinite
          try #require(isFinite && isTold, "\(name), \(request), \(index)")
        }
      }
    }
    #expect(throws: (any Error).self) {
      var config = schedulerClass.defaults
      config.numTrainTimesteps = 0
      _ = try schedulerClass.sampler(config, .steps(5))
    }
  }

  @Test func refusals() throws {
    func refuses(
      _ schedulerClass: SchedulerClass, _ request: SamplingLevels = .steps(4),
      _ change: (inout SchedulerConfig) -> Void
    ) {
      var config = schedulerClass.defaults
      change(&config)
      #expect(throws: SamplerError.self) { _ = try schedulerClass.sampler(config, request) }
    }
    refuses(.euler, .timesteps([900, 3])) { $0.useKarrasSigmas = true }
    refuses(.heun, .timesteps([900, 3])) { $0.useBetaSigmas = true }
    refuses(.euler, .timesteps([900, 3])) {
      ($0.timestepType, $0.predictionType) = (.continuous, .velocity)
    }
    refuses(.euler) { ($0.stepsOffset, $0.timestepSpacing) = (999, .leading) }
    refuses(.lms) { ($0.useKarrasSigmas, $0.useExponentialSigmas) = (true, true) }
    refuses(.dpm2) { $0.predictionType = .flow }
    refuses(.edmEuler, .timesteps([3])) { _ in }
    refuses(.edmEuler) { $0.predictionType = .sample }
    refuses(.edmEuler) { $0.sigmaMin = nil }
    refuses(.flowEuler) { $0.useDynamicShifting = true }
    refuses(.flowEuler, .steps(1)) { $0.shiftTerminal = 0.1 }
    refuses(.flowEuler, .sigmas([2, 1])) { _ in }
    refuses(.flowEuler) { ($0.invertSigmas, $0.stochasticSampling) = (true, true) }
  }
}
