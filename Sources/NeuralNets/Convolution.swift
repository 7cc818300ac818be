import Torch

/// A two-dimensional convolution, `[N, in, H, W]` to `[N, out, H′, W′]` with
/// H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
public final class Conv2d: Module, Layer {
  /// `[out, in / groups, kernel, kernel]`.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter?
  /// How far the kernel moves between neighbours of the output.
  public let stride: Extent
  /// How many zeros stand beyond each edge.
  public let padding: Extent
  private let dilation: Extent
  private let groups: Int
  /// Changes of the weight that stand beside it.
  public var lowRankChanges: [LowRankChange] = []
  var packing = Packing.plain

  /// PyTorch's default start: both uniform on ± 1 / √fan in; without a generator unset, to be loaded.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    dilation: Extent = 1, groups: Int = 1, bias: Bool = true, using generator: Generator?
  ) {
    (weight, self.bias) = defaultWeightAndBias(
      [outputs, inputs / groups, kernel.height, kernel.width], outputs: outputs, bias: bias,
      using: generator)
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { output(x, adding: nil) }

  /// The layer's output for `x` and, in the same pass where a kernel can, `other` of its shape.
  public func callAsFunction(_ x: Tensor, adding other: Tensor) -> Tensor {
    output(x, adding: other)
  }

  private func output(_ x: Tensor, adding other: Tensor?) -> Tensor {
    let window = PackedWeight.Window(
      stride: stride, padding: padding, dilation: dilation, groups: groups)
    let y =
      packed(x, adding: other) { PackedWeight(convolution: weight.value, window: window, for: x) }
      ?? x.conv2d(
        weight: weight.value, bias: bias?.value, stride: stride, padding: padding,
        dilation: dilation, groups: groups, adding: other)
    return changed(y) { change in
      x.conv2d(weight: change.down.value, stride: stride, padding: padding, dilation: dilation)
        .conv2d(weight: change.up.value)
    }
  }
}

extension Conv2d: PackableLayer {}

/// A transposed convolution, `[N, in, H, W]` to `[N, out, H′, W′]` with
/// H′ = (H − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1.
public final class ConvTranspose2d: Module, Layer {
  /// `[in, out / groups, kernel, kernel]`.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter?
  private let stride: Extent
  private let padding: Extent
  private let outputPadding: Extent
  private let dilation: Extent
  private let groups: Int

  /// PyTorch's default start: both uniform on ± 1 / √fan in, with PyTorch's reading of the fan.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    outputPadding: Extent = 0, dilation: Extent = 1, groups: Int = 1, bias: Bool = true,
    using generator: Generator?
  ) {
    (weight, self.bias) = defaultWeightAndBias(
      [inputs, outputs / groups, kernel.height, kernel.width], outputs: outputs, bias: bias,
      using: generator)
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.convTranspose2d(
      weight: weight.value, bias: bias?.value, stride: stride, padding: padding,
      outputPadding: outputPadding, dilation: dilation, groups: groups)
  }
}
