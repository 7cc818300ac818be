import Interchange
import Testing

@Suite struct PNGTextTests {
  /// Written by Pillow: plain, international and compressed texts.
  @Test func readsWhatPillowWrites() throws {
    let texts = try PNGText(contentsOfFile: fixture("text.png"))
    #expect(texts["parameters"] == "a red circle\nSteps: 20, café")
    #expect(texts["prompt"] == "빨간 고양이 🐈")
    #expect(texts.entries.count == 2)
    #expect(texts.skipped == ["packed", "old packed"])
  }

  @Test func roundTrip() throws {
    let original = try fixtureBytes("text.png")
    let entries: [PNGText.Entry] = [
      .init(keyword: "parameters", text: "replaced, naïve\nsecond line"),
      .init(keyword: "latent", text: #"{"prompt":"별이 빛나는 밤 🌌","seed":42}"#),
      .init(keyword: "Ünï", text: ""),
    ]
    let written = try PNGText.insert(entries, into: original)
    let texts = try PNGText(png: written)
    #expect(texts.entries == [.init(keyword: "prompt", text: "빨간 고양이 🐈")] + entries)
    for entry in entries { #expect(texts[entry.keyword] == entry.text) }
    // Again: nothing piles up.
    #expect(try PNGText.insert(entries, into: written).count == written.count)
  }

  @Test func refusesBadKeywordsAndTexts() throws {
    let png = try fixtureBytes("text.png")
    for (keyword, text) in [
      ("", "x"), (String(repeating: "k", count: 80), "x"), ("한", "x"), (" a", "x"), ("a\n", "x"),
      ("a", "x\u{0}y"),
    ] {
      #expect(throws: PNGTextError.self) {
        try PNGText.insert([.init(keyword: keyword, text: text)], into: png)
      }
    }
    #expect(throws: PNGTextError.self) { try PNGText(png: [1, 2, 3]) }
    #expect(throws: PNGTextError.self) { try PNGText(png: Array(png.dropLast())) }
    #expect(throws: PNGTextError.self) { try PNGText.insert([], into: Array(png.prefix(8))) }
  }

  @Test func refusesMutations() throws {
    let original = try fixtureBytes("text.png")
    var generator = SeededGenerator(state: 3)
    var refused = 0
    for _ in 0..<500 {
      let bytes = mutated(original, reach: original.count, using: &generator)
      do {
        _ = try PNGText(png: bytes)
        // The texts of a file whose checksums hold are those of the original.
        #expect(bytes.starts(with: original))
      } catch {
        refused += 1
        #expect(sentence(error.sentence) != nil, "\(error.sentence)")
      }
    }
    #expect(refused > 450)
  }

  /// Broken text chunks with right checksums are passed over.
  @Test func passesOverBrokenChunks() throws {
    let png = try PNGText.insert(
      [.init(keyword: "a", text: "b"), .init(keyword: "c", text: "한")],
      into: fixtureBytes("text.png"))
    let texts = try PNGText(png: png)
    #expect(texts["a"] == "b")
    #expect(texts["c"] == "한")
    let entries = texts.entries.count
    for (type, data) in [
      ("tEXt", []), ("tEXt", [0]), ("tEXt", [97]), ("iTXt", [97, 0]), ("iTXt", [97, 0, 0]),
      ("iTXt", [97, 0, 0, 0]), ("iTXt", [97, 0, 0, 0, 0]), ("iTXt", [97, 0, 0, 0, 0, 0, 0xFF]),
      ("zTXt", []),
    ] as [(String, [UInt8])] {
      // In front of IEND, the last 12 bytes.
      let body = Array(type.utf8) + data
      let crc = withUnsafeBytes(of: crc32(body).bigEndian) { Array($0) }
      let chunk = [0, 0, 0, UInt8(data.count)] + body + crc
      let broken = try PNGText(png: png.dropLast(12) + chunk + png.suffix(12))
      #expect(broken.entries.count == entries, "\(type) \(data)")
    }
  }

  /// Bit by bit, unlike the table in the library.
  private func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
        crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1
      }
    }
  }
}
