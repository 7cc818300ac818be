import CCodecs

extension Image {
  /// Reads a PNG, JPEG or WebP file; what the bytes are decides, not the suffix.
  ///
  /// - Throws: `ImageError` when the file is missing, damaged, cut short or too large.
  public init(contentsOfFile path: String) throws(ImageError) {
    try self.init(decoding: readFile(path), name: path)
  }

  /// Decodes a PNG, JPEG or WebP file in memory, turned upright by its EXIF orientation.
  ///
  /// Grey stays grey and RGB stays RGB; grey with alpha becomes RGBA, palettes become RGB or RGBA,
  /// and CMYK becomes RGB. 16-bit samples keep their upper 8 bits, as in Pillow's colour modes.
  /// A file that ends early is an error, never a half-grey picture.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - name: What errors call the file, usually its path.
  /// - Throws: `ImageError`.
  public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
    guard let format = ImageFormat(signature: bytes) else {
      throw .unknownFormat(path: name)
    }
    var found = codec_picture()
    defer { codec_release(&found) }
    let limit = UInt64(Image.maximumPixelCount)
    let status = bytes.withUnsafeBufferPointer { buffer in
      switch format {
      case .png: codec_decode_png(buffer.baseAddress, buffer.count, limit, &found)
      case .jpeg: codec_decode_jpeg(buffer.baseAddress, buffer.count, limit, &found)
      case .webp: codec_decode_webp(buffer.baseAddress, buffer.count, limit, &found)
      }
    }
    let width = Int(found.width)
    let height = Int(found.height)
    guard status == CODEC_OK, let samples = found.pixels else {
      throw ImageError(
        status, message: text(of: &found.message), path: name, format: format,
        width: width, height: height)
    }
    let count = width * height * Int(found.channels)
    let stored = UnsafeBufferPointer(start: samples, count: count)
    let orientation = UnsafeBufferPointer(start: found.exif, count: found.exif_length)
      .withMemoryRebound(to: UInt8.self) { Orientation(exif: Array($0)) }
    if found.channels == 2 {
      self.init(width: width, height: height, channels: 4, pixels: spreadGrey(stored))
    } else {
      self.init(
        width: width, height: height, channels: Int(found.channels), pixels: Array(stored))
    }
    if orientation != .upright { self = oriented(orientation) }
  }
}

/// Grey and alpha pairs as RGBA.
private func spreadGrey(_ pairs: UnsafeBufferPointer<UInt8>) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: pairs.count * 2) { rgba, count in
    for index in 0..<pairs.count / 2 {
      let grey = pairs[2 * index]
      rgba[4 * index] = grey
      rgba[4 * index + 1] = grey
      rgba[4 * index + 2] = grey
      rgba[4 * index + 3] = pairs[2 * index + 1]
    }
    count = pairs.count * 2
  }
}

/// The text of a codec's fixed-size message field.
func text<Field>(of message: inout Field) -> String {
  withUnsafeBytes(of: &message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

extension ImageError {
  /// What a decoder's status means.
  init(
    _ status: codec_status, message: String, path: String, format: ImageFormat, width: Int,
    height: Int
  ) {
    self =
      switch status {
      case CODEC_TOO_LARGE: .tooLarge(path: path, width: width, height: height)
      case CODEC_UNSUPPORTED: .unsupported(path: path, format: format, reason: message)
      case CODEC_NO_MEMORY: .unreadable(path: path, reason: message)
      default: .damaged(path: path, format: format, reason: message)
      }
  }
}
