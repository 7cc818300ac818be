import Foundation
import NeuralNets
import Torch

/// Sines and cosines of a timestep at frequencies from 1 down to 1/10000 (Vaswani et al. 2017,
/// §3.5, as Ho et al. 2020 use them): `[N]` to `[N, width]`.
final class SinusoidalEmbedding: Module, Layer {
  private let width: Int
  private let cosinesFirst: Bool
  private let shift: Int

  /// The frequencies are 10000^(−i / (width/2 − shift)).
  init(_ width: Int, cosinesFirst: Bool, shift: Int) {
    self.width = width
    self.cosinesFirst = cosinesFirst
    self.shift = shift
  }

  func callAsFunction(_ t: Tensor) -> Tensor {
    let half = width / 2
    let exponents =
      Tensor.arange(half, device: t.device).to(.float32) * -log(10_000.0) / Double(half - shift)
    let angles = t.to(.float32).unsqueezed(1) * exponents.exp()  // [N, width / 2]
    let waves = cosinesFirst ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()]
    let embedding = Tensor.concatenated(waves, 1)
    return width.isMultiple(of: 2) ? embedding : embedding.padded([0, 1])
  }
}

/// Sines and cosines of log t at random frequencies that are never trained (Tancik et al. 2020; Song
/// et al. 2021): `[N]` to `[N, 2 · width]`.
final class FourierEmbedding: Module, Layer {
  /// The frequencies, `[width]`.
  let weight: Buffer

  /// Frequencies drawn from N(0, scale²).
  init(_ width: Int, scale: Double, using generator: Generator?) {
    let draw = Initializer.normal(deviation: scale)
    // diffusers draws the frequencies twice and keeps the second draw.
    if generator != nil { _ = draw.tensor([width], using: generator) }
    // They are multiplied by thousands before their sines are taken.
    weight = Buffer(draw.tensor([width], using: generator), keepsType: true)
  }

  func callAsFunction(_ t: Tensor) -> Tensor {
    let angles = t.to(.float32).log().unsqueezed(1) * weight.value * (2 * Double.pi)
    return .concatenated([angles.sin(), angles.cos()], 1)
  }
}

/// Two linear layers around a nonlinearity: `[N, inputs]` to `[N, outputs]`.
final class TimeLayers: Module, Layer {
  let linear1: Linear
  let condProj: Linear?
  let linear2: Linear
  private let activation: Activation.Kind

  override var keys: [String: String] { ["linear1": "linear_1", "linear2": "linear_2"] }

  /// With a `conditionWidth` the input is moved by what a vector of that width is projected to.
  init(
    _ inputs: Int, _ outputs: Int, conditionWidth: Int? = nil,
    _ activation: Activation.Kind = .silu,
    using generator: Generator?
  ) {
    linear1 = Linear(inputs, outputs, using: generator)
    condProj = conditionWidth.map { Linear($0, inputs, bias: false, using: generator) }
    linear2 = Linear(outputs, outputs, using: generator)
    self.activation = activation
  }

  func callAsFunction(_ x: Tensor) -> Tensor { linear2(activation(linear1(x))) }

  /// `condition` is `[N, conditionWidth]`, and not there for layers without one.
  func callAsFunction(_ x: Tensor, condition: Tensor?) -> Tensor {
    guard let condition, let condProj else { return self(x) }
    return self(x + condProj(condition))
  }
}
