import Foundation
import Images
import Testing

@Suite("Decoding")
struct DecodingTests {
  @Test("there are pictures of every kind")
  func countsFixtures() {
    #expect(Golden.all("decode").count == 63)
  }

  @Test("a file reads as Pillow reads it", arguments: Golden.all("decode"))
  func readsLikePillow(golden: Golden) throws {
    let image = try Image(contentsOfFile: golden.path)
    let difference = try #require(image.largestDifference(from: golden.image))
    // Lossy formats leave rounding to the library, and Pillow brings libraries of its own.
    let isLossy = golden.name.hasSuffix(".jpg") || golden.name.hasPrefix("lossy")
    #expect(difference <= (isLossy ? 2 : 0))
  }

  @Test("a file that ends early is refused wherever it ends", arguments: Golden.all("decode"))
  func refusesTruncation(golden: Golden) throws {
    let whole = [UInt8](try Data(contentsOf: URL(filePath: golden.path)))
    let stride = max(1, whole.count / 60)
    let lengths = Set(Swift.stride(from: 0, to: whole.count, by: stride)).union([whole.count - 1])
    for length in lengths {
      #expect(throws: ImageError.self, "\(golden.name) cut to \(length) of \(whole.count)") {
        try Image(decoding: Array(whole[..<length]), name: golden.name)
      }
    }
  }

  @Test(
    "a small file that claims a huge picture is refused",
    arguments: [
      ("huge.png", 100_000, 100_000), ("huge.jpg", 65_500, 65_500), ("huge.webp", 16_384, 16_384),
    ])
  func refusesHugeClaims(name: String, width: Int, height: Int) {
    let path = Golden.folder.appending(path: "refused/\(name)").path
    #expect(throws: ImageError.tooLarge(path: path, width: width, height: height)) {
      try Image(contentsOfFile: path)
    }
  }

  @Test("a file too short for its size is refused before memory is taken")
  func refusesImplausibleSize() {
    let path = Golden.folder.appending(path: "refused/claims.png").path
    #expect(
      throws: ImageError.damaged(
        path: path, format: .png, reason: "the file is too short for the size that it declares")
    ) {
      try Image(contentsOfFile: path)
    }
  }

  @Test("an animation is refused by name")
  func refusesAnimation() {
    let path = Golden.folder.appending(path: "refused/animated.webp").path
    #expect(
      throws: ImageError.unsupported(
        path: path, format: .webp, reason: "animations are not read, only still pictures")
    ) {
      try Image(contentsOfFile: path)
    }
  }

  @Test("what is not a picture file is refused with a sentence")
  func refusesOtherFiles() throws {
    let folder = try TemporaryFolder()
    let text = folder.path("notes.png")
    try Data("not a picture".utf8).write(to: URL(filePath: text))
    #expect(throws: ImageError.unknownFormat(path: text)) { try Image(contentsOfFile: text) }

    let missing = folder.path("missing.png")
    #expect(throws: ImageError.unreadable(path: missing, reason: "No such file or directory")) {
      try Image(contentsOfFile: missing)
    }
    let pipe = folder.path("pipe.png")
    try #require(mkfifo(pipe, 0o600) == 0)
    for path in [folder.url.path, pipe, "/dev/zero"] {
      #expect(throws: ImageError.unreadable(path: path, reason: "it is not a regular file")) {
        try Image(contentsOfFile: path)
      }
    }
    #expect(
      ImageError.unknownFormat(path: "a.png").description
        == "a.png: this is not a PNG, JPEG or WebP picture")
  }
}
