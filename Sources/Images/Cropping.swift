extension Image {
  /// The rectangle of `width` × `height` pixels whose top left corner is (x, y).
  ///
  /// A random crop is this with drawn offsets: `x` in `0...self.width - width`, and likewise `y`.
  ///
  /// - Precondition: the rectangle lies inside the picture and is not empty.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width > 0 && height > 0 && x <= self.width - width
        && y <= self.height - height,
      "a crop of \(width) × \(height) at (\(x), \(y)) leaves \(self.width) × \(self.height)")
    var samples: [UInt8] = []
    samples.reserveCapacity(width * height * channels)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels
      samples += pixels[start..<start + width * channels]
    }
    return Image(width: width, height: height, channels: channels, pixels: samples)
  }

  /// The middle `width` × `height` pixels; an odd margin is split as torchvision splits it.
  ///
  /// - Precondition: the picture is at least that large.
  public func centerCropped(width: Int, height: Int) -> Image {
    cropped(
      x: centredOffset(self.width - width), y: centredOffset(self.height - height),
      width: width, height: height)
  }

  /// A square of `side` pixels: the shorter side resized to `side`, then the middle kept.
  ///
  /// The sizes and offsets are those of torchvision's `Resize(side)` and `CenterCrop(side)`.
  public func resizedAndCropped(toSide side: Int, filter: ResizeFilter = .bicubic) -> Image {
    let long = Int(Double(side * max(width, height)) / Double(min(width, height)))
    let isWide = width > height
    // Columns that the crop drops need no resampling, but an elongated picture may have millions.
    let strip = long <= Image.maximumPixelCount / side ? self : elongationTrimmed()
    if strip.width != width || strip.height != height {
      return strip.resizedAndCropped(toSide: side, filter: filter)
    }
    return resized(width: isWide ? long : side, height: isWide ? side : long, filter: filter)
      .centerCropped(width: side, height: side)
  }

  /// The picture with left and right exchanged.
  public func flippedHorizontally() -> Image {
    oriented(.mirrored)
  }

  /// The middle of a picture that is more than 64 times as long as wide.
  private func elongationTrimmed() -> Image {
    let short = min(width, height)
    return centerCropped(width: min(width, short * 64), height: min(height, short * 64))
  }
}

/// Half of a margin, with ties to the even number.
private func centredOffset(_ margin: Int) -> Int {
  Int((Double(margin) / 2).rounded(.toNearestOrEven))
}
