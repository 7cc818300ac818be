import NeuralNets
import Torch

/// Block A, 35×35 pixels: branches of 1×1, of 5×5, of two 3×3, and of pooling, side by side
/// (Szegedy et al. 2016, figure 5).
final class InceptionA: Module, Layer {
  let branch1x1: ConvNorm
  let branch5x5First: ConvNorm
  let branch5x5Second: ConvNorm
  let doubleFirst: ConvNorm
  let doubleSecond: ConvNorm
  let doubleThird: ConvNorm
  let branchPool: ConvNorm

  override var keys: [String: String] {
    [
      "branch5x5First": "branch5x5_1", "branch5x5Second": "branch5x5_2",
      "doubleFirst": "branch3x3dbl_1", "doubleSecond": "branch3x3dbl_2",
      "doubleThird": "branch3x3dbl_3",
    ]
  }

  init(_ inputs: Int, poolChannels: Int) {
    branch1x1 = ConvNorm(inputs, 64, kernel: 1)
    branch5x5First = ConvNorm(inputs, 48, kernel: 1)
    branch5x5Second = ConvNorm(48, 64, kernel: 5, padding: 2)
    doubleFirst = ConvNorm(inputs, 64, kernel: 1)
    doubleSecond = ConvNorm(64, 96, kernel: 3, padding: 1)
    doubleThird = ConvNorm(96, 96, kernel: 3, padding: 1)
    branchPool = ConvNorm(inputs, poolChannels, kernel: 1)
  }

  /// `[N, inputs, H, W]` to `[N, 224 + poolChannels, H, W]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    .concatenated(
      [
        branch1x1(x),
        branch5x5Second(branch5x5First(x)),
        doubleThird(doubleSecond(doubleFirst(x))),
        branchPool(InceptionPooling.mean(x)),
      ], 1)
  }
}

/// Block B, from 35×35 to 17×17 pixels without a bottleneck (Szegedy et al. 2016, figure 10).
final class InceptionB: Module, Layer {
  let branch3x3: ConvNorm
  let doubleFirst: ConvNorm
  let doubleSecond: ConvNorm
  let doubleThird: ConvNorm

  override var keys: [String: String] {
    [
      "doubleFirst": "branch3x3dbl_1", "doubleSecond": "branch3x3dbl_2",
      "doubleThird": "branch3x3dbl_3",
    ]
  }

  init(_ inputs: Int) {
    branch3x3 = ConvNorm(inputs, 384, kernel: 3, stride: 2)
    doubleFirst = ConvNorm(inputs, 64, kernel: 1)
    doubleSecond = ConvNorm(64, 96, kernel: 3, padding: 1)
    doubleThird = ConvNorm(96, 96, kernel: 3, stride: 2)
  }

  /// `[N, inputs, H, W]` to `[N, inputs + 480, H′, W′]` at half the resolution.
  func callAsFunction(_ x: Tensor) -> Tensor {
    .concatenated(
      [
        branch3x3(x),
        doubleThird(doubleSecond(doubleFirst(x))),
        InceptionPooling.halved(x),
      ], 1)
  }
}
