/// How a stored picture must be turned to stand upright: the eight values of EXIF tag 0x0112.
enum Orientation: Int, CaseIterable {
  case upright = 1
  case mirrored, halfTurn, flipped, transposed, quarterTurn, transversed, threeQuarterTurn

  /// Reads the tag from an EXIF block, a TIFF file with or without the `Exif\0\0` in front.
  ///
  /// Anything that is not such a block, or does not hold the tag, is `upright`.
  init(exif bytes: [UInt8]) {
    let tiff = bytes.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) ? bytes[6...] : bytes[...]
    let value = OrientationTag(tiff: Array(tiff)).value
    self = value.flatMap(Orientation.init(rawValue:)) ?? .upright
  }

  /// Whether rows become columns.
  var swapsSides: Bool { rawValue >= 5 }
}

/// The search for the orientation tag in the first directory of a TIFF file.
private struct OrientationTag {
  private(set) var value: Int?
  private let tiff: [UInt8]
  private let isBigEndian: Bool

  init(tiff: [UInt8]) {
    self.tiff = tiff
    isBigEndian = tiff.starts(with: [0x4d, 0x4d])
    guard isBigEndian || tiff.starts(with: [0x49, 0x49]), number(at: 2, bytes: 2) == 42,
      let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2)
    else { return }
    for index in 0..<count {
      let entry = directory + 2 + 12 * index
      guard let tag = number(at: entry, bytes: 2) else { return }
      guard tag == 0x0112 else { continue }
      // Type 3 is a 16-bit number, stored in the entry itself.
      if number(at: entry + 2, bytes: 2) == 3 { value = number(at: entry + 8, bytes: 2) }
      return
    }
  }

  private func number(at offset: Int, bytes count: Int) -> Int? {
    guard offset >= 0, offset + count <= tiff.count else { return nil }
    let bytes = tiff[offset..<offset + count]
    let ordered = isBigEndian ? Array(bytes) : bytes.reversed()
    return ordered.reduce(0) { $0 << 8 | Int($1) }
  }
}

extension Image {
  /// The picture turned upright.
  func oriented(_ orientation: Orientation) -> Image {
    let outWidth = orientation.swapsSides ? height : width
    let outHeight = orientation.swapsSides ? width : height
    let right = width - 1
    let bottom = height - 1
    return gathered(width: outWidth, height: outHeight) { x, y in
      switch orientation {
      case .upright: (x, y)
      case .mirrored: (right - x, y)
      case .halfTurn: (right - x, bottom - y)
      case .flipped: (x, bottom - y)
      case .transposed: (y, x)
      case .quarterTurn: (y, bottom - x)
      case .transversed: (right - y, bottom - x)
      case .threeQuarterTurn: (right - y, x)
      }
    }
  }

  /// The picture whose pixel (x, y) is this picture's pixel `source(x, y)`.
  func gathered(
    width outWidth: Int, height outHeight: Int, from source: (Int, Int) -> (x: Int, y: Int)
  ) -> Image {
    let samples = [UInt8](unsafeUninitializedCapacity: outWidth * outHeight * channels) {
      into, count in
      pixels.withUnsafeBufferPointer { from in
        for y in 0..<outHeight {
          for x in 0..<outWidth {
            let place = source(x, y)
            let start = (place.y * width + place.x) * channels
            for c in 0..<channels {
              into[count] = from[start + c]
              count += 1
            }
          }
        }
      }
    }
    return Image(width: outWidth, height: outHeight, channels: channels, pixels: samples)
  }
}
