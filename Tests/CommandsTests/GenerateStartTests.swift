import Foundation
import Images
import Interchange
import Testing

/// Drawing from a picture: strength, mask, variations, sizes.
@Suite struct GenerateStartTests {
  @Test func imageToImage() throws {
    let folder = try Prompted.withPhoto()
    func drawn(_ flags: String...) throws -> [Float] {
      try Prompted.pictures("a cat", ["--image", "photo.png", "--steps", "5"] + flags, in: folder)
    }
    let strong = try drawn()
    #expect(try drawn("--strength", "0.8") == strong)
    let weak = try drawn("--strength", "0.2")
    // What is left after little noise is nearer to the picture.
    let photo = try folder.image("photo.png").planarShares
    #expect(distance(weak, photo) < distance(strong, photo))
    let json = try Prompted.draw("a cat", ["--image", "photo.png"], in: folder)
    #expect(json["strength"]?.double == 0.8 && json["image"]?.string == "photo.png")
    #expect(json["image_sha256"]?.string == (try Fingerprint.ofFile(folder["photo.png"])))
  }

  @Test func mask() throws {
    let folder = try Prompted.withPhoto()
    let flags = ["--image", "photo.png", "--mask", "mask.png", "--sampler", "ddim"]
    let json = try Prompted.draw("a cat", flags, in: folder)
    #expect(json["strength"]?.double == 1 && json["mask"]?.string == "mask.png")
    let masked = try folder.image("x.png")
    // Without a mask, and with one that lets everything change.
    try Prompted.draw("a cat", Array(flags.prefix(2)) + ["--sampler", "ddim"], in: folder)
    #expect(try folder.image("x.png") != masked)
    try folder.put(Image(width: 64, height: 64, filledWith: [255]).pngBytes(), "all.png")
    try Prompted.draw(
      "a cat", ["--image", "photo.png", "--mask", "all.png", "--sampler", "ddim"], in: folder)
    #expect(try folder.image("x.png") != masked)
    // A U-Net that was trained to fill in pictures.
    let json9 = try Prompted.draw(
      "a cat", flags, model: Prompted.fixture("inpainting"), in: folder)
    #expect(json9["model"]?.string == "inpainting")
  }

  @Test func variations() throws {
    let folder = try Prompted.withPhoto()
    let flags = ["--image", "photo.png", "--variations", "-n", "2"]
    let json = try Prompted.draw(nil, flags, to: "v-%d.png", in: folder)
    #expect(json["prompt"]?.string == "" && json["guidance"]?.double == 1)
    #expect(json["notes"]?.array == [])
    #expect(try folder.bytes("v-1.png") != folder.bytes("v-2.png"))
  }

  @Test func sizes() throws {
    let folder = Scratch()
    try folder.put(Prompted.photo(100, 77).pngBytes(), "odd.png")
    try folder.put(Prompted.photo(400, 100).pngBytes(), "large.png")
    func size(_ image: String, _ flags: String...) throws -> [Int?] {
      let json = try Prompted.draw("a cat", ["--image", image] + flags, in: folder)
      return [json["width"]?.int, json["height"]?.int, json["notes"]?.array?.count]
    }
    // In multiples of 8; far more pixels than 64×64 are brought to about as many, with a word.
    #expect(try size("odd.png") == [96, 72, 0])
    #expect(try size("large.png") == [128, 32, 1])
    #expect(try size("large.png", "--width", "64") == [64, 64, 0])
    #expect(try size("odd.png", "--width", "64", "--height", "32") == [64, 32, 0])
  }
}

private func distance(_ a: [Float], _ b: [Float]) -> Float {
  zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
}

extension Image {
  /// The samples in 0...1, channel by channel.
  fileprivate var planarShares: [Float] {
    (0..<channels).flatMap { channel in
      stride(from: channel, to: pixels.count, by: channels).map { Float(pixels[$0]) / 255 }
    }
  }
}
