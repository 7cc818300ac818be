import Foundation
import Images
import Testing

@Suite("Animations")
struct AnimationTests {
  /// A chunk of a PNG file whose checksum was right.
  private struct Chunk {
    let type: String
    let data: [UInt8]

    func number(_ place: Int, bytes: Int = 4) -> Int {
      data[place..<place + bytes].reduce(0) { $0 << 8 | Int($1) }
    }
  }

  private func chunks(of png: [UInt8]) throws -> [Chunk] {
    #expect(Array(png.prefix(8)) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    var chunks: [Chunk] = []
    var position = 8
    while position < png.count {
      try #require(position + 12 <= png.count)
      let length = Chunk(type: "", data: Array(png[position..<position + 4])).number(0)
      try #require(position + 12 + length <= png.count)
      let body = Array(png[position + 4..<position + 8 + length])
      let stored = Array(png[position + 8 + length..<position + 12 + length])
      #expect(UInt32(Chunk(type: "", data: stored).number(0)) == checksum(body))
      chunks.append(
        Chunk(type: String(decoding: body.prefix(4), as: UTF8.self), data: Array(body.dropFirst(4)))
      )
      position += 12 + length
    }
    return chunks
  }

  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { part, _ in
        part & 1 == 1 ? part >> 1 ^ 0xedb8_8320 : part >> 1
      }
    }
  }

  private func encode(_ type: String, _ data: [UInt8]) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    let body = Array(type.utf8) + data
    return word(UInt32(data.count)) + body + word(checksum(body))
  }

  /// The frames, each taken out as a still picture and decoded.
  private func frames(of png: [UInt8]) throws -> [Image] {
    let all = try chunks(of: png)
    let header = try #require(all.first { $0.type == "IHDR" })
    var frames: [[UInt8]] = []
    for chunk in all {
      if chunk.type == "fcTL" { frames.append([]) }
      if chunk.type == "fdAT" { frames[frames.count - 1] += chunk.data.dropFirst(4) }
    }
    return try frames.map { pixels in
      let still =
        Array(png.prefix(8)) + encode("IHDR", header.data) + encode("IDAT", pixels)
        + encode("IEND", [])
      return try Image(decoding: still, name: "frame")
    }
  }

  /// Pictures that differ from one another.
  private func pictures(_ count: Int, side: Int = 9, channels: Int = 3) -> [Image] {
    (0..<count).map { index in
      var image = Image.pattern(width: side, height: side + 2, channels: channels)
      for place in image.pixels.indices {
        image.pixels[place] = image.pixels[place] &+ UInt8((index * 37 + place % 5 * index) & 255)
      }
      return image
    }
  }

  @Test("the bytes are those of the specification")
  func writesChunks() throws {
    let pictures = pictures(3)
    let png = try PNGAnimation(pictures, frameDuration: 0.04, lastFrameDuration: 2).pngBytes()
    let all = try chunks(of: png)
    #expect(
      all.map(\.type) == [
        "IHDR", "acTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND",
      ])
    // Nine and eleven pixels, 8 bits, RGB, and the only methods that there are.
    #expect(all[0].data == [0, 0, 0, 9, 0, 0, 0, 11, 8, 2, 0, 0, 0])
    // Three frames, for ever.
    #expect(all[1].data == [0, 0, 0, 3, 0, 0, 0, 0])
    for (frame, chunk) in all.filter({ $0.type == "fcTL" }).enumerated() {
      let delay: [UInt8] = frame == 2 ? [0x07, 0xd0] : [0, 40]
      #expect(
        chunk.data == [0, 0, 0, UInt8(2 * frame), 0, 0, 0, 9, 0, 0, 0, 11]
          + [0, 0, 0, 0, 0, 0, 0, 0] + delay + [0x03, 0xe8, 0, 0])
    }
    #expect(all.filter { $0.type == "fdAT" }.map { $0.number(0) } == [1, 3, 5])
    // The still picture is the last frame, bit by bit.
    #expect(all[2].data == Array(all[8].data.dropFirst(4)))
    #expect(all[9].data.isEmpty)
  }

  @Test("every frame comes back, and a reader of stills sees the last", arguments: [1, 3, 4])
  func roundTrips(channels: Int) throws {
    let pictures = pictures(5, channels: channels)
    var animation = try PNGAnimation(frameDuration: 0.1)
    for (index, picture) in pictures.enumerated() {
      #expect(animation.frameCount == index)
      try animation.append(picture)
    }
    let png = try animation.pngBytes()
    #expect(png == (try PNGAnimation(pictures).pngBytes()))
    #expect(try frames(of: png) == pictures)
    #expect(try Image(decoding: png, name: "still") == pictures[4])
  }

  @Test("large frames go in pieces, numbered in one sequence, and many frames are no trouble")
  func numbersPieces() throws {
    var random = SeededGenerator(state: 3)
    let noise = (0..<2).map { _ in
      Image(
        width: 120, height: 100, channels: 3,
        pixels: (0..<36_000).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
    for pictures in [noise, pictures(200, side: 2)] {
      let png = try PNGAnimation(pictures).pngBytes()
      let all = try chunks(of: png)
      let numbered = all.filter { ["fcTL", "fdAT"].contains($0.type) }
      #expect(numbered.map { $0.number(0) } == Array(0..<numbered.count))
      #expect(numbered.count > 5 && all.allSatisfy { $0.data.count < 1 << 16 })
      #expect(try frames(of: png) == pictures)
      #expect(try Image(decoding: png, name: "still") == pictures.last)
    }
    let pieces = try chunks(of: PNGAnimation(noise).pngBytes()).filter { $0.type == "fdAT" }
    #expect(pieces.count > 2, "the noise is long enough to be split")
  }

  @Test("a file appears whole, under its own name alone")
  func writesFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("run.png")
    let animation = try PNGAnimation(pictures(2))
    try animation.write(to: path)
    try animation.write(to: path)  // over a file of that name
    #expect([UInt8](try Data(contentsOf: URL(filePath: path))) == (try animation.pngBytes()))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["run.png"])
  }

  @Test("what cannot be an animation is refused with a sentence")
  func refuses() throws {
    for seconds in [0, -1, 0.0001, 66, .nan, .infinity] {
      #expect(throws: ImageError.self) { try PNGAnimation(frameDuration: seconds) }
      #expect(throws: ImageError.self) { try PNGAnimation(lastFrameDuration: seconds) }
    }
    let first = Image(width: 4, height: 3, filledWith: [1, 2, 3])
    let others = [
      Image(width: 3, height: 4, filledWith: [1, 2, 3]),
      Image(width: 4, height: 3, filledWith: [1]),
    ]
    for other in others {
      #expect {
        try PNGAnimation([first, other])
      } throws: {
        ($0 as? ImageError)?.description.contains("frame 2 is \(other.width) × ") == true
      }
    }
    var animation = try PNGAnimation([first])
    #expect(throws: ImageError.self) { try animation.append(others[0]) }
    #expect(animation.frameCount == 1)

    let folder = try TemporaryFolder()
    for name in ["a.gif", "no-folder/a.png", "empty.png"] {
      let path = folder.path(name)
      let shown = name == "empty.png" ? try PNGAnimation() : animation
      #expect {
        try shown.write(to: path)
      } throws: {
        ($0 as? ImageError)?.description.hasPrefix("\(path): the picture cannot be written: ")
          == true
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }
}
