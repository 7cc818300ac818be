import TestSupport
import Testing

@Suite struct ClassicSamplerTests {
  @Test(arguments: SamplingCase.all(in: "schedulers_classic"))
  func everyStepAsInDiffusers(_ sampling: SamplingCase) throws {
    try sampling.check(against: Fixture("schedulers_classic/trajectories"))
  }
}
