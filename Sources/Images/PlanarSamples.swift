extension Image {
  /// The samples a channel after the other, `[C, H, W]`, as networks take them.
  public func planar() -> [UInt8] {
    let plane = width * height
    return [UInt8](unsafeUninitializedCapacity: pixels.count) { into, count in
      pixels.withUnsafeBufferPointer { from in
        for c in 0..<channels {
          for index in 0..<plane { into[c * plane + index] = from[index * channels + c] }
        }
      }
      count = pixels.count
    }
  }

  /// Makes a picture of samples stored a channel after the other, `[C, H, W]`.
  ///
  /// - Precondition: as for `init(width:height:channels:pixels:)`.
  public init(planar samples: [UInt8], width: Int, height: Int, channels: Int) {
    let plane = width * height
    precondition(samples.count == plane * channels, "\(samples.count) samples for the picture")
    let interleaved = [UInt8](unsafeUninitializedCapacity: samples.count) { into, count in
      samples.withUnsafeBufferPointer { from in
        for c in 0..<channels {
          for index in 0..<plane { into[index * channels + c] = from[c * plane + index] }
        }
      }
      count = samples.count
    }
    self.init(width: width, height: height, channels: channels, pixels: interleaved)
  }

  /// Makes a picture of numbers in 0...1, a channel after the other, `[C, H, W]`.
  ///
  /// A number v becomes ⌊255 · clamp(v, 0, 1) + 0.5⌋; NaN becomes 0, so that a diverged network
  /// still gives a picture to look at.
  ///
  /// - Precondition: as for `init(width:height:channels:pixels:)`.
  public init(floats: [Float], width: Int, height: Int, channels: Int) {
    let bytes = floats.map { value in
      value > 0 ? UInt8(min(value, 1) * 255 + 0.5) : 0
    }
    self.init(planar: bytes, width: width, height: height, channels: channels)
  }
}
