import Foundation
import Torch

// 3×3 convolutions of float32, channels-last, on two threads: forward, and backward to both ends.
// A JSON line a shape, best of some calls in milliseconds; GFLOP/s are those of the plain sum.
// Peer: Benchmarks/peers/convolution.py.
Runtime.configureAllocator()
Runtime.setThreads(2)

/// Pictures, channels in and out, side.
let shapes = [
  (64, 256, 128, 7), (64, 32, 32, 28), (64, 64, 64, 14), (64, 128, 128, 7), (64, 64, 64, 32),
  (64, 128, 128, 16), (2, 320, 320, 64),
]

@MainActor func best(_ body: @MainActor () -> Void) -> Double {
  let clock = ContinuousClock()
  return (0..<12).map { _ in clock.measure { body() } / .milliseconds(1) }.min() ?? 0
}

for (count, inputs, outputs, side) in shapes {
  let random = Generator(seed: 0)
  let x = Tensor.randn([count, inputs, side, side], using: random).contiguous(.channelsLast)
  let weight = Tensor.randn([outputs, inputs, 3, 3], using: random) / 10
  let bias = Tensor.randn([outputs], using: random)
  let seed = Tensor.randn([count, outputs, side, side], using: random).contiguous(.channelsLast)
  let ends = [x, weight, bias]
  let forward = best { withoutGradients { _ = x.conv2d(weight: weight, bias: bias, padding: 1) } }
  for end in ends { end.requiresGradient = true }
  let y = x.conv2d(weight: weight, bias: bias, padding: 1)
  let backward = best {
    _ = y.gradients(withRespectTo: ends, seed: seed, retainingGraph: true)
  }
  let gigaflops = 2 * 9 * Double(count * inputs * outputs * side * side) / 1e6
  print(
    String(
      format: #"{"shape": "%dx%d->%d %dx%d", "forward_ms": %.2f, "backward_ms": %.2f, "#
        + #""forward_gflops_per_s": %.0f, "backward_gflops_per_s": %.0f}"#,
      count, inputs, outputs, side, side, forward, backward, gigaflops / forward,
      2 * gigaflops / backward))
}
