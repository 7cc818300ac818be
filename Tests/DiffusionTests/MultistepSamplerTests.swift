import TestSupport
import Testing

@Suite struct MultistepSamplerTests {
  @Test(arguments: SamplingCase.all(in: "schedulers_multistep"))
  func everyStepAsInDiffusers(_ sampling: SamplingCase) throws {
    try sampling.check(against: Fixture("schedulers_multistep/trajectories"))
  }
}
