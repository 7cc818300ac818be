import Torch

/// The poolings between and inside of Inception's blocks, over windows of 3×3.
enum InceptionPooling {
  /// To half the resolution, by the largest of a window: `[N, C, H, W]` to
  /// `[N, C, ⌊(H − 1) / 2⌋, ⌊(W − 1) / 2⌋]`.
  static func halved(_ x: Tensor) -> Tensor { x.maxPool2d(kernel: 3, stride: 2) }

  /// The mean of each pixel's surroundings; at the edge only of those pixels that there are, as
  /// TensorFlow takes it.
  static func mean(_ x: Tensor) -> Tensor {
    x.avgPool2d(kernel: 3, stride: 1, padding: 1, countingPadding: false)
  }

  /// The largest of each pixel's surroundings.
  static func largest(_ x: Tensor) -> Tensor { x.maxPool2d(kernel: 3, stride: 1, padding: 1) }
}
