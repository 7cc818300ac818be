import NeuralNets
import TestSupport
import Testing
import Torch

@Suite struct AttentionTests {
  /// Few keys and many, against the fused kernel, which a mask that lets all through asks for.
  @Test(arguments: [3, 128, 129])
  func outputsAndGradientsAreThoseOfTheFusedKernel(_ tokens: Int) throws {
    let found = try [nil, Tensor.full([1, 1, tokens, tokens], 1, dtype: .bool)].map { mask in
      let attention = Attention(width: 16, heads: 2, bias: true, using: Generator(seed: 1))
      let x = Tensor.randn([2, tokens, 16], using: Generator(seed: 2))
      x.requiresGradient = true
      let y = attention(x, mask: mask)
      y.square().sum().backward()
      return try [y.detached(), x.gradient].map { try #require($0) }
        + attention.parameters.map { try #require($0.value.gradient) }
    }
    expectClose(found[0][0], found[1][0], rtol: 0, atol: 1e-6)
    for (a, b) in zip(found[0], found[1]) { expectClose(a, b, rtol: 1e-4, atol: 1e-4) }
  }
}
