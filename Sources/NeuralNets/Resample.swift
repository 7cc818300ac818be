import Torch

/// Twice the height and width, or any others, by repeating pixels, then a 3×3 convolution (key `conv`).
public final class Upsample2D: Module, Layer {
  private let conv: Conv2d

  /// From `inputs` to `outputs` channels.
  public init(_ inputs: Int, _ outputs: Int, using generator: Generator?) {
    conv = Conv2d(inputs, outputs, kernel: 3, padding: 1, using: generator)
  }

  /// `[N, inputs, H, W]` to `[N, outputs, 2H, 2W]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    self(x, to: Extent(2 * x.size(2), 2 * x.size(3)))
  }

  /// `[N, inputs, H, W]` to `[N, outputs, size.height, size.width]`.
  public func callAsFunction(_ x: Tensor, to size: Extent) -> Tensor {
    conv(x.interpolated(to: size))
  }
}

/// Half the height and width by a 3×3 convolution of stride 2 (key `conv`).
public final class Downsample2D: Module, Layer {
  private let conv: Conv2d
  private let padding: Int

  /// From `inputs` to `outputs` channels. A `padding` of 0 adds zeros at the right and at the bottom
  /// only, instead of all around.
  public init(_ inputs: Int, _ outputs: Int, padding: Int = 1, using generator: Generator?) {
    conv = Conv2d(
      inputs, outputs, kernel: 3, stride: 2, padding: Extent(padding), using: generator)
    self.padding = padding
  }

  /// `[N, inputs, H, W]` to `[N, outputs, ⌈H/2⌉, ⌈W/2⌉]` (⌊H/2⌋ with a padding of 0).
  public func callAsFunction(_ x: Tensor) -> Tensor {
    conv(padding == 0 ? x.padded([0, 1, 0, 1]) : x)
  }
}
