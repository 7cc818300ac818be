import TestSupport
import Testing
import Torch

/// Serialised: recording is switched on and off for the thread.
@Suite(.serialized) struct AutogradTests {
  static let cases: [GoldenCase] = [
    .three("penalty", "x w u") { x, w, u in
      penalty(of: x, output: x.matmul(w).tanh().matmul(u), over: [1])
    },
    .two("penalty.convolution", "picture kernel") { x, kernel in
      penalty(of: x, output: x.conv2d(weight: kernel, padding: 1).silu(), over: [1, 2, 3])
    },
    .many("curvature", "x") { x in
      let first = x[0].sin().sum().gradients(withRespectTo: x, creatingGraph: true)
        .compactMap { $0 }
      return first
        + first[0].sum().gradients(withRespectTo: x, creatingGraph: true)
        .compactMap { $0 }
    },
    .many("seeded", "x w seed") { x in
      x[0].matmul(x[1]).tanh()
        .gradients(withRespectTo: Array(x[..<2]), seed: x[2], creatingGraph: true)
        .compactMap { $0 }
    },
    .two("cut", "x w") { $0.matmul($1.detached()) * $0.detached().matmul($1) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/autograd") }

  @Test(arguments: cases)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.cases, fixture)
  }

  @Test func gradientsAddUpUntilCleared() throws {
    let x = parameter([1, 2, 3])
    #expect(x.gradient == nil && x.isLeaf)
    let loss = x.square().sum()
    #expect(loss.requiresGradient && !loss.isLeaf)
    loss.backward(retainingGraph: true)
    loss.backward()
    expectEqual(try #require(x.gradient), Tensor([4, 8, 12] as [Float]))
    x.gradient = nil
    #expect(x.gradient == nil)
    x.gradient = Tensor([1, 1, 1] as [Float])
    (x * 3).backward(seed: Tensor([1, 0, 2] as [Float]))
    expectEqual(try #require(x.gradient), Tensor([4, 1, 7] as [Float]))
  }

  @Test func backwardCanCreateAGraph() throws {
    let x = parameter([2])
    x.pow(3).sum().backward(creatingGraph: true)
    let gradient = try #require(x.gradient)
    #expect(gradient.requiresGradient)
    let second = gradient.sum().gradients(withRespectTo: [x])
    expectEqual(try #require(second[0]), Tensor([12] as [Float]))
    x.gradient = nil  // else tensor and gradient hold each other for ever
  }

  @Test func whatDoesNotDependHasNoGradient() throws {
    let (x, y) = (parameter([1, 2]), parameter([3, 4]))
    let sum = (x * 2).sum()
    let both = sum.gradients(withRespectTo: [y, x], retainingGraph: true)
    #expect(both[0] == nil)
    expectEqual(try #require(both[1]), Tensor([2, 2] as [Float]))
    expectEqual(
      try #require(sum.gradients(withRespectTo: [x])[0]), Tensor([2, 2] as [Float]))
    #expect(x.gradient == nil, "gradients(withRespectTo:) touches no leaf")
  }

  @Test func detachedTensorsShareMemoryButNoGraph() {
    let x = parameter([1, 2])
    let detached = (x * 2).detached()
    #expect(!detached.requiresGradient && detached.isLeaf)
    #expect(x.detached().sharesMemory(with: x))
    x.requiresGradient = false
    #expect(!(x * 2).requiresGradient)
  }

  @Test func recordingNestsAndComesBack() {
    let x = parameter([1])
    func isRecording() -> Bool { (x * 2).requiresGradient }
    #expect(isRecording())
    let answer = withoutGradients {
      #expect(!isRecording())
      withGradients {
        #expect(isRecording())
        withoutGradients { #expect(!isRecording()) }
        #expect(isRecording())
      }
      #expect(!isRecording())
      return 42
    }
    #expect(answer == 42)
    #expect(isRecording())
  }

  @Test func recordingComesBackAfterAnError() {
    struct Stop: Error {}
    let x = parameter([1])
    #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
    #expect((x * 2).requiresGradient)
    withoutGradients {
      #expect(throws: Stop.self) { try withGradients { throw Stop() } }
      #expect(!(x * 2).requiresGradient)
    }
    #expect((x * 2).requiresGradient)
  }

  @Test func inPlaceChangesOfAParameterNeedNoRecording() {
    let x = parameter([1, 2])
    withoutGradients { x.add(1) }
    expectEqual(x, Tensor([2, 3] as [Float]))
    #expect(x.isLeaf && x.requiresGradient)
  }

  private func parameter(_ values: [Float]) -> Tensor {
    let tensor = Tensor(values)
    tensor.requiresGradient = true
    return tensor
  }
}

/// (‖∂output/∂x‖ − 1)², a mean over the batch: what a critic with a gradient penalty minimises.
private func penalty(of x: Tensor, output: Tensor, over dims: [Int]) -> Tensor {
  guard let slope = output.sum().gradients(withRespectTo: [x], creatingGraph: true)[0] else {
    return Tensor(.nan)
  }
  return ((slope.square().sum(dims) + 1e-8).sqrt() - 1).square().mean()
}
