import NeuralNets
import TestSupport
import Testing
import Torch

/// Learning rates against PyTorch's and diffusers' schedules.
@Suite struct ScheduleTests {
  static let courses: [(name: String, schedule: LearningRateSchedule)] = [
    ("constant", .init(.constant)), ("constant.warmup", .init(.constant, warmup: 7)),
    ("cosine", .init(.cosine)), ("cosine.warmup", .init(.cosine, warmup: 7)),
    ("linear", .init(.linear)), ("linear.warmup", .init(.linear, warmup: 7)),
    ("step", .init(.step, interval: 9, decay: 0.3)),
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("neural_nets/schedules") }

  @Test(arguments: courses.indices)
  func factorsEqualTheReference(_ place: Int) throws {
    let (name, schedule) = Self.courses[place]
    let golden = try fixture[name]
    let factors = (0..<golden.count).map { schedule.factor(step: $0, of: 40) }
    expectClose(Tensor(factors), golden, rtol: 1e-9, atol: 1e-12, name)
  }

  @Test func everyGoldenCourseIsTested() {
    #expect(Self.courses.map(\.name).sorted() == fixture.names.sorted())
  }

  @Test(arguments: LearningRateSchedule.Shape.allCases)
  func theWarmupRisesInALineAndLeadsOnWithoutAJump(_ shape: LearningRateSchedule.Shape) {
    let schedule = LearningRateSchedule(shape, warmup: 20)
    for step in 0..<20 {
      #expect(schedule.factor(step: step, progress: Double(step) / 50) == Double(step) / 20)
    }
    #expect(schedule.factor(step: 20, progress: 20.0 / 50) == 1)
  }

  /// A training by the clock has no number of steps, only a share of its time.
  @Test func aShareOfTheWorkIsEnough() {
    let schedule = LearningRateSchedule(.linear, warmup: 10)
    #expect(abs(schedule.factor(step: 55, progress: 0.55) - 0.5) < 1e-12)
    #expect(schedule.factor(step: 100, progress: 1) == 0)
    #expect(schedule.factor(step: 3000, progress: 7) == 0)
  }

  @Test func dropsCountFromTheWarmup() {
    let schedule = LearningRateSchedule(.step, warmup: 5, interval: 10, decay: 0.5)
    let factors = [14, 15, 24, 25].map { schedule.factor(step: $0, progress: 0) }
    #expect(factors == [1, 0.5, 0.5, 0.25])
  }
}
