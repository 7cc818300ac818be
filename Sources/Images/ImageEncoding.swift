import CCodecs

extension Image {
  /// The picture as a PNG file: 8-bit grey, RGB or RGBA, like the picture.
  ///
  /// - Parameter compression: 0 (none) to 9 (smallest and slowest).
  /// - Throws: `ImageError.unwritable` when memory runs out.
  public func pngBytes(compression: Int = 6) throws(ImageError) -> [UInt8] {
    precondition(0...9 ~= compression, "PNG compression is 0 to 9, not \(compression)")
    return try encoded(name: "PNG") {
      codec_encode_png($0, $1, $2, UInt32(channels), Int32(compression), $3)
    }
  }

  /// The picture as a JPEG file, grey or RGB; alpha is composited over white.
  ///
  /// - Parameter quality: 1 to 100, on the scale of the JPEG library.
  /// - Throws: `ImageError.unwritable` when a side is longer than JPEG allows (65,500 pixels).
  public func jpegBytes(quality: Int = 92) throws(ImageError) -> [UInt8] {
    precondition(1...100 ~= quality, "JPEG quality is 1 to 100, not \(quality)")
    let opaque = channels == 4 ? converted(toChannels: 3) : self
    return try opaque.encoded(name: "JPEG") {
      codec_encode_jpeg($0, $1, $2, UInt32(opaque.channels), Int32(quality), $3)
    }
  }

  /// The picture as a lossless WebP file, RGB or RGBA.
  ///
  /// - Throws: `ImageError.unwritable` when a side is longer than WebP allows (16,383 pixels).
  public func webpBytes() throws(ImageError) -> [UInt8] {
    let colour = channels == 1 ? converted(toChannels: 3) : self
    return try colour.encoded(name: "WebP") {
      codec_encode_webp($0, $1, $2, UInt32(colour.channels), $3)
    }
  }

  /// Writes the picture in the format that the suffix names: `.png .jpg .jpeg .webp`.
  ///
  /// The file is written aside and then renamed, over a file of that name if there is one.
  ///
  /// - Throws: `ImageError` when the suffix is another or the file cannot be written.
  public func write(to path: String) throws(ImageError) {
    guard let format = ImageFormat(path: path) else {
      throw .unwritable(path: path, reason: "its name must end in .png, .jpg, .jpeg or .webp")
    }
    let bytes: [UInt8]
    do throws(ImageError) {
      bytes =
        switch format {
        case .png: try pngBytes()
        case .jpeg: try jpegBytes()
        case .webp: try webpBytes()
        }
    } catch .unwritable(_, let reason) {
      throw .unwritable(path: path, reason: reason)
    }
    try writeFile(bytes, to: path)
  }

  private func encoded(
    name: String,
    by encode: (
      UnsafePointer<UInt8>?, _ width: UInt32, _ height: UInt32, UnsafeMutablePointer<codec_bytes>
    ) -> codec_status
  ) throws(ImageError) -> [UInt8] {
    var out = codec_bytes()
    defer { codec_bytes_release(&out) }
    let status = pixels.withUnsafeBufferPointer { samples in
      encode(samples.baseAddress, UInt32(width), UInt32(height), &out)
    }
    guard status == CODEC_OK else {
      throw .unwritable(path: "\(name) picture", reason: text(of: &out.message))
    }
    return Array(UnsafeBufferPointer(start: out.bytes, count: out.length))
  }
}
