import Foundation
import Torch

// Convolutions of float32, channels-last, on two threads, in float32 and by halves of bfloat16:
// forward, and backward to both ends. A JSON line a shape and precision, best of some calls in
// milliseconds; GFLOP/s are those of the plain sum; the error is the root mean square's share of the
// result's, against double precision. Where both lines of a 3×3 shape are alike, both are Winograd's
// algorithm. Peer: Benchmarks/peers/convolution.py.
Runtime.prepare()
Runtime.setThreads(2)

/// A convolution of square pictures; `stride` 2 halves them.
struct Shape {
  let count: Int, inputs: Int, outputs: Int, side: Int
  var kernel = 3, stride = 1
}

let shapes = [
  Shape(count: 64, inputs: 256, outputs: 128, side: 7),
  Shape(count: 64, inputs: 32, outputs: 32, side: 28),
  Shape(count: 64, inputs: 64, outputs: 64, side: 14),
  Shape(count: 64, inputs: 128, outputs: 128, side: 7),
  Shape(count: 64, inputs: 64, outputs: 64, side: 32),
  Shape(count: 64, inputs: 128, outputs: 128, side: 16),
  Shape(count: 16, inputs: 128, outputs: 128, side: 8),
  Shape(count: 16, inputs: 256, outputs: 128, side: 8),
  Shape(count: 2, inputs: 320, outputs: 320, side: 64),
  Shape(count: 64, inputs: 64, outputs: 128, side: 14, kernel: 4, stride: 2),
  Shape(count: 64, inputs: 128, outputs: 128, side: 16, kernel: 1),
]

@MainActor func best(_ body: @MainActor () -> Void) -> Double {
  let clock = ContinuousClock()
  return (0..<12).map { _ in clock.measure { body() } / .milliseconds(1) }.min() ?? 0
}

func error(_ value: Tensor, _ exact: Tensor) -> Double {
  let difference = value.to(.float64) - exact
  return ((difference * difference).mean() / (exact * exact).mean()).item().squareRoot()
}

for shape in shapes {
  let random = Generator(seed: 0)
  let padding = (shape.kernel - 1) / 2
  let x = Tensor.randn([shape.count, shape.inputs, shape.side, shape.side], using: random)
    .contiguous(.channelsLast)
  let weight =
    Tensor.randn([shape.outputs, shape.inputs, shape.kernel, shape.kernel], using: random) / 10
  let bias = Tensor.randn([shape.outputs], using: random)
  let exact = x.to(.float64).conv2d(
    weight: weight.to(.float64), bias: bias.to(.float64), stride: .init(shape.stride),
    padding: .init(padding))
  let seed = Tensor.randn(exact.shape, using: random).contiguous(.channelsLast)
  let ends = [x, weight, bias]
  for precision in [Precision.fp32, .bf16x3] {
    precision {
      for end in ends { end.requiresGradient = false }
      func convolved() -> Tensor {
        x.conv2d(
          weight: weight, bias: bias, stride: .init(shape.stride), padding: .init(padding))
      }
      let forward = best { withoutGradients { _ = convolved() } }
      for end in ends { end.requiresGradient = true }
      let y = convolved()
      let backward = best {
        _ = y.gradients(withRespectTo: ends, seed: seed, retainingGraph: true)
      }
      let gigaflops =
        2 * Double(shape.kernel * shape.kernel * shape.inputs * exact.count) / 1e6
      print(
        String(
          format: #"{"shape": "%dx%d->%d %dx%d kernel %d stride %d", "precision": "%@", "#
            + #""forward_ms": %.2f, "backward_ms": %.2f, "forward_gflops_per_s": %.0f, "#
            + #""backward_gflops_per_s": %.0f, "error": %.1e}"#,
          shape.count, shape.inputs, shape.outputs, shape.side, shape.side, shape.kernel,
          shape.stride, precision.rawValue, forward, backward, gigaflops / forward,
          2 * gigaflops / backward, error(y.detached(), exact)))
    }
  }
}
