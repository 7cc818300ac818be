import NeuralNets
import Torch

/// A convolution, batch normalisation by stored statistics (Ioffe & Szegedy 2015, eq. 2 with the
/// population's mean and variance), and max(0, ·): `[N, in, H, W]` to `[N, out, H′, W′]`.
final class ConvNorm: Module, Layer {
  let conv: Conv2d
  let bn: StoredNorm

  /// Weights stay unset, to be loaded.
  init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0
  ) {
    conv = Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, padding: padding, bias: false, using: nil)
    bn = StoredNorm(outputs)
  }

  /// The normalisation is linear, so that it goes into the convolution's weights: the multiplication
  /// costs far less there than on every pixel.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (factor, offset) = bn.line
    let y = x.conv2d(
      weight: conv.weight.value * factor.reshaped([-1, 1, 1, 1]), bias: offset,
      stride: conv.stride, padding: conv.padding)
    y.clamp(min: 0)
    return y
  }
}

/// Batch normalisation that never trains: the statistics are weights like all others.
final class StoredNorm: Module {
  /// All `[C]`.
  let weight: Buffer
  let bias: Buffer
  let runningMean: Buffer
  let runningVar: Buffer
  private static let eps = 1e-3

  init(_ channels: Int) {
    weight = Buffer(.empty([channels]))
    bias = Buffer(.empty([channels]))
    runningMean = Buffer(.empty([channels]))
    runningVar = Buffer(.empty([channels]))
  }

  /// γ (x − μ) / √(σ² + ε) + β as factor · x + offset, both `[C]`.
  var line: (factor: Tensor, offset: Tensor) {
    let factor = weight.value / (runningVar.value + Self.eps).sqrt()
    return (factor, bias.value - runningMean.value * factor)
  }
}
