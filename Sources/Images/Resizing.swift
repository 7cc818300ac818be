extension Image {
  /// The picture at another size, byte for byte what Pillow's `Image.resize` gives.
  ///
  /// When shrinking, the kernel grows with the scale, so nothing aliases. Each axis is one pass
  /// of fixed-point weights, rounded to 8 bits between the passes. RGBA is weighted by its alpha.
  ///
  /// - Precondition: the new sides are positive.
  public func resized(width: Int, height: Int, filter: ResizeFilter = .bicubic) -> Image {
    precondition(width > 0 && height > 0, "a picture has at least one pixel")
    if width == self.width && height == self.height { return self }
    if filter == .nearest { return resizedToNearest(width: width, height: height) }
    if channels == 4 {
      return mapped(to: 4, premultiply)
        .convolved(width: width, height: height, filter)
        .mapped(to: 4, unpremultiply)
    }
    return convolved(width: width, height: height, filter)
  }

  private func convolved(width: Int, height: Int, _ filter: ResizeFilter) -> Image {
    var picture = self
    if width != self.width { picture = picture.convolvedRows(to: width, filter) }
    if height != self.height { picture = picture.convolvedColumns(to: height, filter) }
    return picture
  }

  private func convolvedRows(to outWidth: Int, _ filter: ResizeFilter) -> Image {
    let taps = ResizeTaps(from: width, to: outWidth, filter: filter)
    let samples = [UInt8](unsafeUninitializedCapacity: outWidth * height * channels) {
      into, count in
      pixels.withUnsafeBufferPointer { from in
        taps.weights.withUnsafeBufferPointer { weights in
          for y in 0..<height {
            let row = y * width * channels
            for span in taps.spans {
              for c in 0..<channels {
                var sum = ResizeTaps.half
                var source = row + span.first * channels + c
                for tap in span.weights {
                  sum &+= Int32(from[source]) &* weights[tap]
                  source += channels
                }
                into[count] = ResizeTaps.rounded(sum)
                count += 1
              }
            }
          }
        }
      }
    }
    return Image(width: outWidth, height: height, channels: channels, pixels: samples)
  }

  private func convolvedColumns(to outHeight: Int, _ filter: ResizeFilter) -> Image {
    let taps = ResizeTaps(from: height, to: outHeight, filter: filter)
    let row = width * channels
    // A whole row of sums at a time, so that memory is read in order.
    var sums = [Int32](repeating: 0, count: row)
    let samples = [UInt8](unsafeUninitializedCapacity: outHeight * row) { into, count in
      pixels.withUnsafeBufferPointer { from in
        sums.withUnsafeMutableBufferPointer { sums in
          for span in taps.spans {
            sums.update(repeating: ResizeTaps.half)
            for (line, tap) in zip(span.first..., span.weights) {
              let weight = taps.weights[tap]
              let start = line * row
              for x in 0..<row { sums[x] &+= Int32(from[start + x]) &* weight }
            }
            for x in 0..<row { into[count + x] = ResizeTaps.rounded(sums[x]) }
            count += row
          }
        }
      }
    }
    return Image(width: width, height: outHeight, channels: channels, pixels: samples)
  }

  private func resizedToNearest(width outWidth: Int, height outHeight: Int) -> Image {
    let columns = nearestSources(from: width, to: outWidth)
    let rows = nearestSources(from: height, to: outHeight)
    return gathered(width: outWidth, height: outHeight) { x, y in (columns[x], rows[y]) }
  }
}

/// The source index of every new index; steps are added up as Pillow adds them.
private func nearestSources(from: Int, to: Int) -> [Int] {
  let scale = Double(from) / Double(to)
  var position = scale * 0.5
  return (0..<to).map { _ in
    defer { position += scale }
    return min(Int(position), from - 1)
  }
}

/// The fixed-point weights of one axis of a resize.
private struct ResizeTaps {
  /// The source pixels of one new pixel: from `first` on, with `weights` into the shared list.
  struct Span {
    let first: Int
    let weights: Range<Int>
  }

  /// 8 bits for the sample and 2 for overshoot are left of 32.
  static let precision: Int32 = 32 - 8 - 2
  static let half: Int32 = 1 << (precision - 1)

  private(set) var spans: [Span] = []
  private(set) var weights: [Int32] = []

  init(from inSize: Int, to outSize: Int, filter: ResizeFilter) {
    let scale = Double(inSize) / Double(outSize)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let inverse = 1 / filterScale
    spans.reserveCapacity(outSize)
    for out in 0..<outSize {
      let centre = (Double(out) + 0.5) * scale
      let first = max(Int(centre - support + 0.5), 0)
      let end = min(Int(centre + support + 0.5), inSize)
      var kernel = (0..<end - first).map { index in
        filter.weight(at: (Double(index + first) - centre + 0.5) * inverse)
      }
      let sum = kernel.reduce(0, +)
      if sum != 0 { for index in kernel.indices { kernel[index] /= sum } }
      spans.append(Span(first: first, weights: weights.count..<weights.count + kernel.count))
      for weight in kernel {
        let scaled = weight * Double(1 << Self.precision)
        weights.append(Int32(weight < 0 ? scaled - 0.5 : scaled + 0.5))
      }
    }
  }

  @inline(__always)
  static func rounded(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> precision, 0), 255))
  }
}

private func premultiply(_ rgba: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>) {
  for c in 0..<3 { out[c] = divided255(UInt32(rgba[c]) * UInt32(rgba[3])) }
  out[3] = rgba[3]
}

private func unpremultiply(_ rgba: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>) {
  let alpha = Int(rgba[3])
  for c in 0..<3 {
    out[c] = alpha == 0 || alpha == 255 ? rgba[c] : UInt8(min(255 * Int(rgba[c]) / alpha, 255))
  }
  out[3] = rgba[3]
}
