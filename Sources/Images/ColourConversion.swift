extension Image {
  /// The picture as grey (1), RGB (3) or RGBA (4).
  ///
  /// Grey is ITU-R 601 luma in the fixed-point form of Pillow's `convert("L")`. Where alpha is
  /// dropped the picture is composited over white, rounded to nearest; where it is added it is
  /// opaque.
  ///
  /// - Precondition: `count` is 1, 3 or 4.
  public func converted(toChannels count: Int) -> Image {
    switch (channels, count) {
    case (1, 1), (3, 3), (4, 4): self
    case (4, 1): mapped(to: 3, overWhite).mapped(to: 1, luma)
    case (4, 3): mapped(to: 3, overWhite)
    case (3, 1): mapped(to: 1, luma)
    case (1, 3):
      mapped(to: 3) { grey, rgb in
        for c in 0..<3 { rgb[c] = grey[0] }
      }
    case (_, 4):
      mapped(to: 4) { [channels] colour, rgba in
        for c in 0..<3 { rgba[c] = colour[channels == 1 ? 0 : c] }
        rgba[3] = 255
      }
    default: preconditionFailure("a picture has 1, 3 or 4 channels, not \(count)")
    }
  }

  /// The picture with every pixel's samples replaced by what `pixel(old, new)` writes.
  func mapped(
    to outChannels: Int, _ pixel: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
  ) -> Image {
    let samples = [UInt8](unsafeUninitializedCapacity: width * height * outChannels) {
      into, count in
      pixels.withUnsafeBufferPointer { from in
        for index in 0..<width * height {
          pixel(from.baseAddress! + index * channels, into.baseAddress! + index * outChannels)
        }
      }
      count = width * height * outChannels
    }
    return Image(width: width, height: height, channels: outChannels, pixels: samples)
  }
}

/// L = (0.299 R + 0.587 G + 0.114 B), in 16 fractional bits.
private func luma(_ rgb: UnsafePointer<UInt8>, _ grey: UnsafeMutablePointer<UInt8>) {
  let sum = 19595 * UInt32(rgb[0]) + 38470 * UInt32(rgb[1]) + 7471 * UInt32(rgb[2]) + 0x8000
  grey[0] = UInt8(sum >> 16)
}

private func overWhite(_ rgba: UnsafePointer<UInt8>, _ rgb: UnsafeMutablePointer<UInt8>) {
  let alpha = UInt32(rgba[3])
  for c in 0..<3 { rgb[c] = divided255(UInt32(rgba[c]) * alpha + 255 * (255 - alpha)) }
}

/// `value / 255` rounded to nearest, for values up to 255².
func divided255(_ value: UInt32) -> UInt8 {
  let biased = value + 128
  return UInt8((biased >> 8 + biased) >> 8)
}
