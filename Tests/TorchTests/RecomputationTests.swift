import TestSupport
import Testing
import Torch

/// Parts of a network that run again in the backward pass.
@Suite struct RecomputationTests {
  private func leaf(_ shape: [Int], _ seed: UInt64) -> Tensor {
    let tensor = Tensor.randn(shape, using: Generator(seed: seed))
    tensor.requiresGradient = true
    return tensor
  }

  /// Two outputs of two inputs and a weight that is no input, with noise.
  private func part(_ inputs: [Tensor], _ weight: Tensor, _ generator: Generator) -> [Tensor] {
    let h = (inputs[0] * weight).tanh() * Tensor.rand([3, 4], using: generator)
    return [h.sigmoid() * inputs[1], h.exp()]
  }

  /// The loss and the gradients of both inputs and the weight, the part run once or twice.
  private func gradients(recomputing: Bool) throws -> [Tensor] {
    let (x, y, weight) = (leaf([3, 4], 1), leaf([3, 4], 2), leaf([3, 4], 3))
    let generator = Generator(seed: 4)
    let body = { part($0, weight, generator) }
    let inputs = [x * 2, y]
    let outputs =
      recomputing
      ? Tensor.recomputed(inputs, outputs: 2, drawingFrom: generator, body) : body(inputs)
    // Draws after the part must not be those of its second run.
    let loss = (outputs[0] * outputs[1] * Tensor.rand([3, 4], using: generator)).sum()
    loss.backward()
    let after = Tensor.rand([3], using: generator)
    return [loss.detached(), after] + (try [x, y, weight].map { try #require($0.gradient) })
  }

  @Test func gradientsAreThoseOfThePlainPart() throws {
    for (a, b) in zip(try gradients(recomputing: true), try gradients(recomputing: false)) {
      expectEqual(a, b)
    }
  }

  @Test func unusedOutputsAndUngradedInputsAreNoHindrance() throws {
    let (x, weight) = (leaf([3, 4], 1), leaf([3, 4], 3))
    let constant = Tensor.randn([3, 4], using: Generator(seed: 2))
    let outputs = Tensor.recomputed([x, constant], outputs: 2) {
      [$0[0] * $0[1] * weight, $0[1]]
    }
    outputs[0].sum().backward()
    expectEqual(try #require(x.gradient), (constant * weight).detached())
    expectEqual(try #require(weight.gradient), (constant * x).detached())
    #expect(constant.gradient == nil)
  }

  @Test func withoutAGraphThePartRunsOnce() {
    let x = leaf([2], 1)
    var runs = 0
    let count = { (inputs: [Tensor]) -> [Tensor] in
      runs += 1
      return inputs
    }
    withoutGradients { _ = Tensor.recomputed([x], outputs: 1, count) }
    _ = Tensor.recomputed([x.detached()], outputs: 1, count)
    #expect(runs == 2)
  }

  @Test func everyHandleIsFreed() async {
    await #expect(processExitsWith: .success) {
      expectNoLeaks {
        let tests = RecomputationTests()
        _ = try? tests.gradients(recomputing: true)
        let x = tests.leaf([2], 1)
        // A graph that is never walked.
        _ = Tensor.recomputed([x], outputs: 1) { [$0[0] * 2] }
      }
    }
  }

  @Test func gradientsOfOneTensorStop() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let x = Tensor.ones([2])
      x.requiresGradient = true
      let y = Tensor.recomputed([x], outputs: 1) { [$0[0] * 2] }[0].sum()
      _ = y.gradients(withRespectTo: [x])
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(said.contains("call backward, not gradients(withRespectTo:)"))
  }
}
