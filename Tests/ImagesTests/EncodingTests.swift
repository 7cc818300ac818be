import Foundation
import Images
import Testing

@Suite("Encoding")
struct EncodingTests {
  @Test("PNG comes back as it was", arguments: [1, 3, 4], [0, 6, 9])
  func roundTripsPNG(channels: Int, compression: Int) throws {
    let image = Image.pattern(width: 33, height: 17, channels: channels)
    let bytes = try image.pngBytes(compression: compression)
    #expect(try Image(decoding: bytes, name: "memory") == image)
  }

  @Test("WebP comes back as it was", arguments: [3, 4])
  func roundTripsWebP(channels: Int) throws {
    var image = Image.pattern(width: 33, height: 17, channels: channels)
    if channels == 4 {  // colours under full transparency are not kept
      for index in stride(from: 3, to: image.pixels.count, by: 4) { image.pixels[index] |= 1 }
    }
    #expect(try Image(decoding: image.webpBytes(), name: "memory") == image)
  }

  @Test("JPEG comes back nearly as it was, and closer at a higher quality", arguments: [1, 3])
  func roundTripsJPEG(channels: Int) throws {
    let image = Image.pattern(width: 8, height: 5, channels: channels)
      .resized(width: 120, height: 75)
    func error(at quality: Int) throws -> Double {
      let back = try Image(decoding: image.jpegBytes(quality: quality), name: "memory")
      #expect(back.channels == channels && back.width == 120 && back.height == 75)
      let sum = zip(image.pixels, back.pixels).map { pow(Double($0) - Double($1), 2) }.reduce(0, +)
      return (sum / Double(image.pixels.count)).squareRoot()
    }
    let fine = try error(at: 95)
    #expect(try fine < 12 && fine < error(at: 30))
  }

  @Test("alpha is composited over white for JPEG")
  func flattensForJPEG() throws {
    let image = Image(width: 16, height: 16, filledWith: [10, 10, 10, 0])
    let back = try Image(decoding: image.jpegBytes(), name: "memory")
    #expect(back == Image(width: 16, height: 16, filledWith: [255, 255, 255]))
  }

  @Test(
    "the suffix decides the format",
    arguments: [
      ("a.png", ImageFormat.png), ("a.JPG", .jpeg), ("a.jpeg", .jpeg), ("b.c.webp", .webp),
    ])
  func writes(name: String, format: ImageFormat) throws {
    let folder = try TemporaryFolder()
    let path = folder.path(name)
    let image = Image(width: 9, height: 4, filledWith: [90, 90, 90])
    try image.write(to: path)
    try image.write(to: path)  // over a file of that name
    #expect(ImageFormat(signature: try Data(contentsOf: URL(filePath: path))) == format)
    #expect(try Image(contentsOfFile: path).width == 9)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [name])
  }

  @Test("a path that cannot be written is refused with a sentence and leaves nothing")
  func refusesPaths() throws {
    let folder = try TemporaryFolder()
    let image = Image(width: 1, height: 1, filledWith: [0])
    for name in ["a.gif", "png", "no-folder/a.png"] {
      let path = folder.path(name)
      #expect {
        try image.write(to: path)
      } throws: { error in
        (error as? ImageError)?.description.hasPrefix("\(path): the picture cannot be written: ")
          == true
      }
    }
    let wide = Image(width: 70_000, height: 1, filledWith: [0])
    for name in ["wide.jpg", "wide.webp"] {
      #expect(throws: ImageError.self) { try wide.write(to: folder.path(name)) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }
}
