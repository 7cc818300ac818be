import TestSupport
import Testing
import Torch

/// What a function that a GPU records is where there is none; `Benchmarks/cuda.sh` compares pictures
/// with and without graphs on one.
@Suite struct GraphedFunctionTests {
  @Test func isTheFunctionItself() {
    var calls = 0
    let graphed = GraphedFunction { inputs in
      calls += 1
      return inputs[0] + 2 * inputs[1]
    }
    let random = Generator(seed: 1)
    withoutGradients {
      // Shapes may change on the way.
      for shape in [[2, 3], [2, 3], [2, 3], [4], [2, 3]] {
        let (a, b) = (Tensor.randn(shape, using: random), Tensor.randn(shape, using: random))
        expectEqual(graphed([a, b]), a + 2 * b)
      }
    }
    #expect(calls == 5)
  }

  @Test func hasGradients() {
    let graphed = GraphedFunction { $0[0].square() }
    let x = Tensor([1, 2, 3] as [Float])
    x.requiresGradient = true
    for _ in 0..<3 {
      expectEqual(graphed([x]).sum().gradients(withRespectTo: [x])[0]!, 2 * x.detached())
    }
  }
}
