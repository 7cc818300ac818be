import CZlib

/// Pictures of one size as an animated PNG (APNG) that loops for ever.
///
/// The third edition of the PNG specification: `acTL` announces the animation, and every frame is an
/// `fcTL` (its place and duration) with `fdAT` chunks (its pixels). The still picture in the `IDAT`
/// chunks is the last frame once more and stands in front of the first `fcTL`, which makes it no
/// part of the animation: what knows no animations shows how it ends.
public struct PNGAnimation: Sendable {
  /// The frames so far.
  public var frameCount: Int { frames.count }

  private let duration: UInt16
  private let lastDuration: UInt16
  /// The compressed pixels of every frame, in pieces of at most a few kilobytes: readers may refuse
  /// long chunks.
  private var frames: [[[UInt8]]] = []
  /// What all frames share: sides, and the samples of a pixel.
  private var header: [UInt8] = []
  private var form = (width: 0, height: 0, channels: 0)

  /// Makes an animation.
  ///
  /// - Parameters:
  ///   - frames: The pictures in order; more can be appended.
  ///   - frameDuration: How long each is shown, in seconds, rounded to milliseconds.
  ///   - lastFrameDuration: How long the last is shown before the first comes again; nil for no
  ///     longer than the others.
  /// - Throws: `ImageError.unwritable` when a duration is not from 0.001 to 65.535 seconds, or as
  ///   `append(_:)` does.
  public init(
    _ frames: [Image] = [], frameDuration: Double = 0.1, lastFrameDuration: Double? = nil
  ) throws(ImageError) {
    duration = try milliseconds(frameDuration)
    lastDuration = try milliseconds(lastFrameDuration ?? frameDuration)
    for frame in frames { try append(frame) }
  }

  /// Compresses a picture and adds it at the end.
  ///
  /// - Throws: `ImageError.unwritable` when it has other sides or channels than those before it.
  public mutating func append(_ frame: Image) throws(ImageError) {
    let new = (frame.width, frame.height, frame.channels)
    guard frames.isEmpty || new == form else {
      throw refusal(
        "frame \(frames.count + 1) is \(new.0) × \(new.1) with \(new.2) channels, but those before "
          + "it are \(form.width) × \(form.height) with \(form.channels); frames are of one kind")
    }
    let chunks = chunks(of: try frame.pngBytes())
    header = chunks.first { $0.type == "IHDR" }?.data ?? []
    frames.append(chunks.filter { $0.type == "IDAT" }.map(\.data))
    form = new
  }

  /// The animation as a PNG file.
  ///
  /// - Throws: `ImageError.unwritable` when there is no frame.
  public func pngBytes() throws(ImageError) -> [UInt8] {
    guard let last = frames.last else { throw refusal("it has no frames") }
    var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    file += chunk("IHDR", header)
    file += chunk("acTL", bytes(UInt32(frames.count)) + bytes(UInt32(0)))  // 0: for ever
    for piece in last { file += chunk("IDAT", piece) }
    // The chunks of the animation are numbered in one sequence.
    var number: UInt32 = 0
    for (index, frame) in frames.enumerated() {
      file += chunk("fcTL", bytes(number) + control(isLast: index == frames.count - 1))
      number += 1
      for piece in frame {
        file += chunk("fdAT", bytes(number) + piece)
        number += 1
      }
    }
    return file + chunk("IEND", [])
  }

  /// Writes the animation to a file, whose name must end in `.png`.
  ///
  /// The file is written aside and then renamed, over a file of that name if there is one.
  ///
  /// - Throws: `ImageError.unwritable` when there is no frame or the file cannot be written.
  public func write(to path: String) throws(ImageError) {
    guard ImageFormat(path: path) == .png else {
      throw .unwritable(path: path, reason: "the name of an animation must end in .png")
    }
    let bytes: [UInt8]
    do throws(ImageError) {
      bytes = try pngBytes()
    } catch .unwritable(_, let reason) {
      throw .unwritable(path: path, reason: reason)
    }
    try writeFile(bytes, to: path)
  }

  /// What `fcTL` says after its number: the whole picture, its duration, and that it replaces what
  /// was there before.
  private func control(isLast: Bool) -> [UInt8] {
    bytes(UInt32(form.width)) + bytes(UInt32(form.height)) + bytes(UInt32(0)) + bytes(UInt32(0))
      + bytes(isLast ? lastDuration : duration) + bytes(UInt16(1000)) + [0, 0]
  }
}

private func refusal(_ reason: String) -> ImageError {
  .unwritable(path: "PNG animation", reason: reason)
}

private func milliseconds(_ seconds: Double) throws(ImageError) -> UInt16 {
  let rounded = (seconds * 1000).rounded()
  guard rounded >= 1, rounded <= Double(UInt16.max) else {
    throw refusal("a frame is shown for 0.001 to 65.535 seconds, not \(seconds)")
  }
  return UInt16(rounded)
}

/// The chunks of a PNG file that was just encoded.
private func chunks(of png: [UInt8]) -> [(type: String, data: [UInt8])] {
  var found: [(type: String, data: [UInt8])] = []
  var position = 8
  while position + 12 <= png.count {
    let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    let type = String(decoding: png[position + 4..<position + 8], as: UTF8.self)
    found.append((type, Array(png[position + 8..<position + 8 + length])))
    position += 12 + length
  }
  return found
}

/// Length, type, data and checksum.
private func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
  let body = Array(type.utf8) + data
  let checksum = crc32(0, body, UInt32(body.count))
  return bytes(UInt32(data.count)) + body + bytes(UInt32(checksum))
}

/// A number as PNG stores it, the highest byte first.
private func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
