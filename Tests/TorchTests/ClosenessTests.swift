import TestSupport
import Testing
import Torch

/// The comparison that all golden tests rest on finds what it should.
@Suite struct ClosenessTests {
  let a = Tensor([1, 2, .nan, .infinity] as [Float], shape: [2, 2])

  @Test func acceptsWhatIsClose() {
    expectEqual(a, a.clone())
    expectClose(Tensor([100.0005] as [Float]), Tensor([100] as [Float]))
    expectClose(Tensor([1e-7] as [Float]), Tensor([0] as [Float]))
  }

  @Test func saysWhereTheWorstElementIs() {
    withKnownIssue {
      expectClose(
        Tensor([0, 1, 2, 3.5, 4.25, 5] as [Float], shape: [2, 3]),
        Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3]))
    } matching: { issue in
      issue.comments.contains(
        "2 of 6 elements differ; the worst at [1, 0] is 3.5 instead of 3.0, off by 0.5")
    }
  }

  @Test(
    arguments: [
      [1.1, 2, .nan, .infinity], [1, 2, 0, .infinity], [.nan, 2, .nan, .infinity],
      [1, 2, .nan, 9], [1, 2, .nan, -.infinity],
    ] as [[Float]])
  func findsOneElement(_ values: [Float]) {
    withKnownIssue { expectClose(Tensor(values, shape: [2, 2]), a) }
  }

  @Test func findsOtherTypesAndShapes() {
    withKnownIssue { expectClose(a, a.to(.float64)) }
    withKnownIssue { expectClose(a, a.reshaped([4])) }
    withKnownIssue { expectClose(Tensor([1]), Tensor([2]), rtol: 10, atol: 10) }
    withKnownIssue { expectClose(Tensor([true]), Tensor([false])) }
    withKnownIssue { expectClose(Tensor([100.01] as [Float]), Tensor([100] as [Float])) }
    withKnownIssue { expectClose(Tensor([1e-5] as [Float]), Tensor([0] as [Float])) }
  }

  @Test func findsAWrongGradient() throws {
    let fixture = try Fixture("torch_ops/elementwise")
    let wrong = GoldenCase.one("exp", "x") { $0.exp().detached() + $0 - $0.detached() }
    try withKnownIssue {
      try wrong.check(against: fixture)
    } matching: {
      $0.comments.contains { $0.rawValue.hasPrefix("exp, gradient of input 0: ") }
    }
    let missing = GoldenCase.one("exp", "x") { $0.exp().detached() }
    withKnownIssue { try missing.check(against: fixture) }
    withKnownIssue { GoldenCase.expectComplete([wrong], fixture) }
  }

  @Test func readsAWholeFile() throws {
    let fixture = try Fixture("torch_ops/creation")
    let tensors = try fixture.tensors
    #expect(tensors.keys.sorted() == fixture.names.sorted())
    #expect(tensors["to.bfloat16.out0"]?.dtype == .bfloat16)
    #expect(tensors["full.bool.out0"]?.elements() == [Bool](repeating: true, count: 6))
    #expect(throws: (any Error).self) { try fixture["no such tensor"] }
  }
}
