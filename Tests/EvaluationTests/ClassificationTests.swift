import Evaluation
import TestSupport
import Testing
import Torch

/// Figures of classes and scores against scikit-learn.
@Suite struct ClassificationTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture("evaluation/classification") }

  @Test func figuresOfClassesAreScikitLearns() throws {
    let report = try ClassificationReport(
      predicted: fixture["predicted"].elements(), actual: fixture["actual"].elements(), classes: 6)
    expectEqual(
      Tensor(report.confusion.flatMap(\.self), shape: [6, 6]), try fixture["confusion"])
    let classes = report.classes.flatMap { [$0.precision, $0.recall, $0.f1] }
    expectClose(
      Tensor(classes, shape: [6, 3]), try fixture["classes"], rtol: 1e-9, atol: 1e-12)
    expectClose(Tensor([report.accuracy]), try fixture["accuracy"], rtol: 1e-9, atol: 0)
    expectClose(
      Tensor([report.macroPrecision, report.macroRecall, report.macroF1]), try fixture["macro"],
      rtol: 1e-9, atol: 0)
    // Never predicted, but there; and one that is nowhere.
    #expect(report.classes[3].predicted == 0 && report.classes[3].support > 0)
    #expect(report.classes[3].precision == 0 && report.classes[5].support == 0)
  }

  @Test func curveAndAreaAreScikitLearnsWithTies() throws {
    let positive: [Int] = try fixture["positive"].elements()
    let curve = try ROCCurve(
      scores: fixture["scores"].elements(), isPositive: positive.map { $0 == 1 })
    let points = curve.points.flatMap {
      [$0.threshold, $0.falsePositiveRate, $0.truePositiveRate]
    }
    expectClose(
      Tensor(points, shape: [curve.points.count, 3]), try fixture["curve"], rtol: 1e-9,
      atol: 1e-12)
    expectClose(Tensor([curve.area]), try fixture["area"], rtol: 1e-9, atol: 0)
  }

  @Test func areaIsTheChanceOfTheRightOrder() throws {
    let apart = try ROCCurve(scores: [3, 2, 1], isPositive: [true, true, false])
    #expect(apart.area == 1)
    let equal = try ROCCurve(scores: [1, 1, 1], isPositive: [true, false, false])
    #expect(equal.area == 0.5 && equal.points.count == 2)
    let mixed = try ROCCurve(scores: [4, 3, 2, 1], isPositive: [false, true, false, true])
    #expect(mixed.area == 0.25)
  }

  @Test func entropyOfClasses() throws {
    let even = try ClassBalance(labels: [0, 1, 2, 3], classes: 4)
    #expect(abs(even.entropy - 1.3862943611) < 1e-9 && abs(even.normalizedEntropy - 1) < 1e-12)
    let one = try ClassBalance(labels: [2, 2, 2], classes: 4)
    #expect(one.entropy == 0 && one.normalizedEntropy == 0 && one.shares == [0, 0, 1, 0])
    let half = try ClassBalance(labels: [0, 1], classes: 4)
    #expect(abs(half.normalizedEntropy - 0.5) < 1e-12)
    #expect(try ClassBalance(labels: [0, 0], classes: 1).normalizedEntropy == 1)
  }
}
