import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct ClassicSamplerTests {
  @Test(arguments: SamplingCase.all(in: "schedulers_classic"))
  func everyStepAsInDiffusers(_ sampling: SamplingCase) throws {
    try sampling.check(against: Fixture("schedulers_classic/trajectories"))
  }

  /// Diffusers takes the root of log β there; the deviation is √β, as with `fixed_large`.
  @Test func fixedLargeLogIsFixedLarge() throws {
    var config = SchedulerClass.ddpm.defaults
    let pictures = try [VarianceType.fixedLarge, .fixedLargeLog].map { variance in
      config.varianceType = variance
      let sampler = try DDPMSampler(config, .steps(10))
      var memory = SamplerMemory()
      let x = Tensor.linspace(-1, 1, steps: 12).reshaped([1, 3, 2, 2])
      let noise = NoiseSource([Generator(seed: 1)])
      return sampler.step(x, at: 2, from: x, memory: &memory, noise: noise).sample
    }
    expectEqual(pictures[0], pictures[1])
  }

  /// The toy network's second half is negative somewhere, so no trajectory covers `learned`.
  @Test func aLearnedVarianceIsTakenAsItIs() throws {
    var config = SchedulerClass.ddpm.defaults
    let x = Tensor.linspace(-1, 1, steps: 12).reshaped([1, 3, 2, 2])
    func stepped(_ output: Tensor, _ variance: VarianceType) throws -> Tensor {
      config.varianceType = variance
      var memory = SamplerMemory()
      return try DDPMSampler(config, .steps(10)).step(
        output, at: 2, from: x, memory: &memory, noise: NoiseSource([Generator(seed: 1)])
      ).sample
    }
    let drawn = NoiseSource([Generator(seed: 1)]).draw(like: x)
    let quiet = try stepped(Tensor.concatenated([x, Tensor.zeros(x.shape)], 1), .learned)
    let loud = try stepped(Tensor.concatenated([x, Tensor.full(x.shape, 0.25)], 1), .learned)
    expectClose(loud - quiet, drawn * 0.5, rtol: 1e-5, atol: 1e-6)
    // A network that does not say it.
    expectEqual(try stepped(x, .learned), try stepped(x, .fixedSmall))
  }

  /// What the inverse makes of a picture, DDIM brings back: with a network that knows the noise the
  /// two undo each other.
  @Test func ddimUndoesItsInverse() throws {
    var config = SchedulerClass.ddim.defaults
    config.clipSample = false
    let picture = Tensor.linspace(-1, 1, steps: 12).reshaped([1, 3, 2, 2])
    let epsilon = picture.flipped([1])
    let noise = NoiseSource([Generator(seed: 1)])
    func carried(_ x: Tensor, by sampler: any Sampler) -> Tensor {
      var memory = SamplerMemory()
      return sampler.timesteps.indices.reduce(x) { x, index in
        sampler.step(epsilon, at: index, from: x, memory: &memory, noise: noise).sample
      }
    }
    let up = carried(picture, by: try DDIMInverseSampler(config, .steps(20)))
    #expect((up - picture).abs().max().item() > 0.5)
    expectClose(
      carried(up, by: try DDIMSampler(config, .steps(20))), picture, rtol: 1e-4, atol: 1e-4)
  }

  @Test(arguments: [
    (SchedulerClass.ddpm, SamplingLevels.steps(1001)), (.ddim, .sigmas([2, 1])),
    (.ddimInverse, .timesteps([9, 3])), (.pndm, .steps(3)), (.pndm, .timesteps([9, 3])),
    (.lcm, .steps(51)), (.tcd, .sigmas([1])), (.unCLIP, .steps(1)), (.consistency, .steps(41)),
    (.consistency, .timesteps([40])), (.ddpm, .timesteps([3, 9])),
  ])
  func levelsThatAMethodCannotVisitAreRefused(
    _ schedulerClass: SchedulerClass, _ levels: SamplingLevels
  ) {
    #expect(throws: SamplerError.self) {
      try schedulerClass.sampler(schedulerClass.defaults, levels)
    }
  }

  @Test(arguments: [SchedulerClass.ddim, .tcd], [-0.1, 1.1, .nan])
  func etaOutOfRangeIsRefused(_ schedulerClass: SchedulerClass, _ eta: Double) {
    #expect(throws: SamplerError.self) {
      try schedulerClass.sampler(schedulerClass.defaults, .steps(5), eta: eta)
    }
  }
}
