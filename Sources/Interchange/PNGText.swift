/// Texts inside PNG files: the recipe of a generated picture travels in its file.
///
/// Latin-1 texts go into `tEXt` chunks, others into uncompressed `iTXt` chunks (UTF-8).
/// Limitation: compressed texts (`zTXt`, compressed `iTXt`) are not read; `skipped` names them.
public struct PNGText: Sendable, Equatable {
  /// Keywords and texts in the order of the file.
  public private(set) var entries: [Entry] = []
  /// The keywords of compressed texts that were not read.
  public private(set) var skipped: [String] = []

  /// A keyword with its text.
  public struct Entry: Sendable, Equatable {
    /// What the text is, 1 to 79 Latin-1 characters such as `parameters` or `Title`.
    public let keyword: String
    /// The text itself.
    public let text: String

    /// Makes an entry.
    public init(keyword: String, text: String) {
      self.keyword = keyword
      self.text = text
    }
  }

  /// The text of the first entry with this keyword, or nil.
  public subscript(keyword: String) -> String? {
    entries.first { $0.keyword == keyword }?.text
  }

  /// Reads the texts in the bytes of a PNG file; malformed text chunks are passed over.
  ///
  /// - Throws: `PNGTextError` when the file is no PNG, is cut short or fails a checksum.
  public init(png: [UInt8]) throws(PNGTextError) {
    for chunk in try PNGChunk.split(png) {
      let data = png[chunk.data]
      switch chunk.type {
      case "tEXt":
        guard let (keyword, rest) = Self.keyword(data) else { continue }
        entries.append(Entry(keyword: keyword, text: latin1(rest)))
      case "zTXt":
        if let (keyword, _) = Self.keyword(data) { skipped.append(keyword) }
      case "iTXt":
        guard let (keyword, rest) = Self.keyword(data), rest.count >= 2 else { continue }
        // Compression flag and method, language tag NUL, translated keyword NUL, text.
        let parts = rest.dropFirst(2).split(
          separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { continue }
        if rest[rest.startIndex] != 0 {
          skipped.append(keyword)
        } else if let text = String(validating: parts[2], as: UTF8.self) {
          entries.append(Entry(keyword: keyword, text: text))
        }
      default: continue
      }
    }
  }

  /// Reads the texts in the PNG file at `path`.
  ///
  /// - Throws: `PNGTextError` with the path when the file cannot be read or is damaged.
  public init(contentsOfFile path: String) throws(PNGTextError) {
    let bytes: [UInt8]
    do {
      bytes = try MappedFile(path: path).withUnsafeBytes { Array($0) }
    } catch {
      throw PNGTextError(path: path, sentence: error.sentence)
    }
    do {
      try self.init(png: bytes)
    } catch {
      throw PNGTextError(path: path, sentence: error.sentence)
    }
  }

  /// The PNG file with `entries` in front of its pixels; texts that it has under the same keywords
  /// are replaced.
  ///
  /// - Throws: `PNGTextError` when the file is damaged, or a keyword or text is not allowed.
  public static func insert(_ entries: [Entry], into png: [UInt8]) throws(PNGTextError) -> [UInt8] {
    let replaced = Set(entries.map(\.keyword))
    var result = Array(png.prefix(PNGChunk.signature.count))
    var inserted = false
    for chunk in try PNGChunk.split(png) {
      if chunk.type == "IDAT", !inserted {
        inserted = true
        for entry in entries { result += try encode(entry) }
      }
      let isText = ["tEXt", "zTXt", "iTXt"].contains(chunk.type)
      if isText, let (keyword, _) = keyword(png[chunk.data]), replaced.contains(keyword) {
        continue
      }
      result += png[chunk.whole]
    }
    guard inserted else { throw PNGTextError(sentence: "the PNG file holds no pixels.") }
    return result
  }

  private static func encode(_ entry: Entry) throws(PNGTextError) -> [UInt8] {
    let keyword = entry.keyword.unicodeScalars
    let isPlain = keyword.allSatisfy {
      (0x20...0x7E).contains($0.value) || (0xA1...0xFF).contains($0.value)
    }
    guard (1...79).contains(keyword.count), isPlain, keyword.first != " ", keyword.last != " "
    else {
      throw PNGTextError(
        sentence:
          "the PNG keyword \"\(entry.keyword)\" is not 1 to 79 printable Latin-1 characters.")
    }
    guard !entry.text.utf8.contains(0) else {
      throw PNGTextError(sentence: "the PNG text \"\(entry.keyword)\" holds a NUL character.")
    }
    guard entry.text.utf8.count < 1 << 30 else {
      throw PNGTextError(sentence: "the PNG text \"\(entry.keyword)\" exceeds 1 GB.")
    }
    let name = keyword.map { UInt8($0.value) } + [0]
    let scalars = entry.text.unicodeScalars
    let isLatin1 = scalars.allSatisfy {
      $0 == "\n" || (0x20...0x7E).contains($0.value) || (0xA0...0xFF).contains($0.value)
    }
    return isLatin1
      ? PNGChunk.encode("tEXt", name + scalars.map { UInt8($0.value) })
      : PNGChunk.encode("iTXt", name + [0, 0, 0, 0] + Array(entry.text.utf8))
  }

  private static func keyword(_ data: ArraySlice<UInt8>) -> (String, ArraySlice<UInt8>)? {
    guard let end = data.firstIndex(of: 0), end > data.startIndex else { return nil }
    return (latin1(data[..<end]), data[(end + 1)...])
  }
}

/// A PNG file whose texts cannot be read or written.
public struct PNGTextError: ExplainedError, Equatable {
  /// The file, where the bytes came from one.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// Makes an error about the PNG file at `path`, or in memory when that is nil.
  public init(path: String? = nil, sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}

private func latin1(_ bytes: ArraySlice<UInt8>) -> String {
  var text = String.UnicodeScalarView()
  for byte in bytes { text.append(Unicode.Scalar(byte)) }
  return String(text)
}
