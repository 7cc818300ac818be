import Torch

/// Twice the height and width by repeating pixels, then a 3×3 convolution (key `conv`).
public final class Upsample2D: Module, Layer {
  private let conv: Conv2d

  /// From `inputs` to `outputs` channels.
  public init(_ inputs: Int, _ outputs: Int, using generator: Generator?) {
    conv = Conv2d(inputs, outputs, kernel: 3, padding: 1, using: generator)
  }

  /// `[N, inputs, H, W]` to `[N, outputs, 2H, 2W]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    conv(x.interpolated(to: Extent(2 * x.size(2), 2 * x.size(3))))
  }
}

/// Half the height and width by a 3×3 convolution of stride 2 (key `conv`).
public final class Downsample2D: Module, Layer {
  private let conv: Conv2d

  /// From `inputs` to `outputs` channels.
  public init(_ inputs: Int, _ outputs: Int, using generator: Generator?) {
    conv = Conv2d(inputs, outputs, kernel: 3, stride: 2, padding: 1, using: generator)
  }

  /// `[N, inputs, H, W]` to `[N, outputs, ⌈H/2⌉, ⌈W/2⌉]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { conv(x) }
}
