import NeuralNets
import Torch

/// The feed-forward network of a transformer, its hidden layer gated by a GELU (GEGLU: Shazeer
/// 2020): `[..., width]` unchanged in shape.
final class FeedForward: Module, Layer {
  let gated: Linear
  let out: Linear

  override var keys: [String: String] { ["gated": "net.0.proj", "out": "net.2"] }

  init(_ width: Int, using generator: Generator?) {
    gated = Linear(width, 8 * width, using: generator)
    out = Linear(4 * width, width, using: generator)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { out(hidden(x)) }

  func callAsFunction(_ x: Tensor, adding other: Tensor) -> Tensor { out(hidden(x), adding: other) }

  private func hidden(_ x: Tensor) -> Tensor {
    let halves = gated(x).chunked(2, -1)  // [..., 4 · width] each
    return halves[0] * halves[1].gelu()
  }
}
