import CTorch

/// How values between pixels are found.
public enum Interpolation: Sendable {
  /// The nearest pixel.
  case nearest
  /// Linear in both directions, pixel centres at half-integers.
  case bilinear(antialias: Bool = false)
  /// Cubic in both directions (a = −0.75, or −0.5 when antialiased), pixel centres at half-integers.
  case bicubic(antialias: Bool = false)
}

/// What stands beyond the edge of a tensor.
public enum Padding: Sendable {
  /// One value.
  case constant(Double)
  /// The mirror image, without the edge itself.
  case reflect
  /// The edge, repeated.
  case replicate
}

// MARK: - Pooling and resampling

extension Tensor {
  /// The largest element of every window of `[N, C, H, W]`; the stride defaults to the kernel.
  public func maxPool2d(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      kernel.lend { size in
        (stride ?? kernel).lend { stride in
          padding.lend { ct_max_pool2d(raw, size, stride, $0, out) }
        }
      }
    }
  }

  /// The mean of every window of `[N, C, H, W]`; the stride defaults to the kernel.
  ///
  /// Beyond the edge stand zeros, which count like pixels unless `countingPadding` is false.
  public func avgPool2d(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, countingPadding: Bool = true,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      kernel.lend { size in
        (stride ?? kernel).lend { stride in
          padding.lend { ct_avg_pool2d(raw, size, stride, $0, countingPadding, out) }
        }
      }
    }
  }

  /// The mean of as many equal windows as the asked output has pixels.
  public func adaptiveAvgPool2d(
    _ size: Extent, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in size.lend { ct_adaptive_avg_pool2d(raw, $0, out) } }
  }

  /// `[N, C, H, W]` resampled to another height and width.
  public func interpolated(
    to size: Extent, _ mode: Interpolation = .nearest,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let (code, antialias) =
      switch mode {
      case .nearest: (CT_NEAREST, false)
      case .bilinear(let antialias): (CT_BILINEAR, antialias)
      case .bicubic(let antialias): (CT_BICUBIC, antialias)
      }
    return made(file, line) { out in
      size.lend { ct_interpolate(raw, $0, Int32(code.rawValue), antialias, out) }
    }
  }

  /// Channels turned into pixels: `[N, C·r², H, W]` to `[N, C, H·r, W·r]`.
  public func pixelShuffled(
    _ factor: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_pixel_shuffle(raw, Int64(factor), $0) }
  }

  /// Pixels turned into channels: `[N, C, H·r, W·r]` to `[N, C·r², H, W]`.
  public func pixelUnshuffled(
    _ factor: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_pixel_unshuffle(raw, Int64(factor), $0) }
  }

  /// Widened at the edges: `widths` counts from the last dimension, before and after in turn.
  public func padded(
    _ widths: [Int], _ mode: Padding = .constant(0),
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let (code, value) =
      switch mode {
      case .constant(let value): (CT_PAD_CONSTANT, value)
      case .reflect: (CT_PAD_REFLECT, 0)
      case .replicate: (CT_PAD_REPLICATE, 0)
      }
    return made(file, line) { out in
      withInt64(widths) { ct_pad(raw, $0, $1, Int32(code.rawValue), value, out) }
    }
  }
}
