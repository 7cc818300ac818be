import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct NoiseScheduleTests {
  @Test func figuresOfThePaper() {
    let schedule = NoiseSchedule()
    #expect(abs(schedule.alphasCumprod[0] - 0.9999) < 1e-6)
    #expect(abs(schedule.alphasCumprod[349] - 0.2878) < 5e-3)
    #expect(abs(schedule.alphasCumprod[999] - 4.036e-5) < 1e-7)
  }
}
