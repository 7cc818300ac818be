import CTorch

/// A layer's weight laid out once for the processor's kernels, instead of at every call: for use
/// without gradients, on the CPU, in float32 and bfloat16.
public struct PackedWeight {
  private let tensor: Tensor
  /// The type of inputs and outputs.
  public let dtype: DType
  private let window: Window?

  /// How a convolution moves over its input.
  public struct Window {
    /// How far the kernel moves between neighbours of the output.
    public var stride: Extent
    /// Zeros beyond each edge.
    public var padding: Extent
    /// Distance between neighbours of the kernel.
    public var dilation: Extent
    /// Groups of channels that do not see each other.
    public var groups: Int

    /// As of `Tensor.conv2d`.
    public init(stride: Extent, padding: Extent, dilation: Extent, groups: Int) {
      self.stride = stride
      self.padding = padding
      self.dilation = dilation
      self.groups = groups
    }

    func lend<R>(
      _ body: (UnsafePointer<Int64>, UnsafePointer<Int64>, UnsafePointer<Int64>) -> R
    ) -> R {
      stride.lend { stride in
        padding.lend { padding in dilation.lend { body(stride, padding, $0) } }
      }
    }
  }

  /// The weight `[out, C / groups, kh, kw]` of a convolution for inputs like `input`; `nil` where
  /// the plain convolution does as well.
  public init?(
    convolution weight: Tensor, window: Window, for input: Tensor,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var out: CTTensor?
    check(
      window.lend { ct_pack_conv2d(input.raw, weight.raw, $0, $1, $2, Int64(window.groups), &out) },
      file, line)
    guard let out else { return nil }
    tensor = Tensor(owning: out)
    dtype = weight.dtype
    self.window = window
  }

  /// The weight `[out, in]` of a linear layer for inputs like `input`; `nil` where the plain product
  /// does as well.
  public init?(
    linear weight: Tensor, for input: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    var out: CTTensor?
    check(ct_pack_linear(input.raw, weight.raw, &out), file, line)
    guard let out else { return nil }
    tensor = Tensor(owning: out)
    dtype = weight.dtype
    window = nil
  }

  /// The layer's output for `x`; `fanIn` numbers of the weight go into each of the output. `added`,
  /// of the output's shape and type, is added to it.
  public func callAsFunction(
    _ x: Tensor, bias: Tensor?, adding added: Tensor? = nil, fanIn: Int,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = made(file, line) { out in
      window.map { window in
        window.lend {
          ct_packed_conv2d(
            x.raw, tensor.raw, bias?.raw, $0, $1, $2, Int64(window.groups), added?.raw, out)
        }
      } ?? ct_packed_linear(x.raw, tensor.raw, bias?.raw, added?.raw, out)
    }
    Work.add(2 * result.count * fanIn)
    return result
  }
}
