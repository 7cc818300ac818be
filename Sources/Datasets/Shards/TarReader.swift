/// Reads the files in a tar archive in order; folders and links are passed over.
struct TarReader {
  /// A file in the archive.
  struct Member: Equatable {
    let name: String
    /// Bytes of its content.
    let size: Int
  }

  /// The longest name and the longest list of records that is believed, in bytes.
  private static let maximumRecordSize = 1 << 20

  private let input: ShardInput
  /// Bytes of the current member, with its padding, that were not passed yet.
  private var rest = 0
  private var current = Member(name: "", size: 0)
  /// Whether the archive ended with a block of zeros, as it should.
  private(set) var hasEndMark = false
  private var isAtEnd = false

  init(_ input: ShardInput) {
    self.input = input
  }

  /// The next file; nil at the end of the archive.
  mutating func next() throws -> Member? {
    var (longName, longSize): (String?, Int?)
    while !isAtEnd {
      try skipRest()
      guard let header = try nextHeader() else { break }
      rest = Self.padded(header.size)
      switch header.kind {
      case .other: continue
      case .longName:
        longName = String(decoding: try record(header).prefix { $0 != 0 }, as: UTF8.self)
      case .extended:
        for (key, value) in Self.records(try record(header)) {
          if key == "path" { longName = value }
          if key == "size" { longSize = Int(value) }
        }
      case .file:
        let size = longSize ?? header.size
        guard (0...1 << 56).contains(size) else {
          throw ShardError(problem: "a header has no size that could be")
        }
        current = Member(name: longName ?? header.name, size: size)
        rest = Self.padded(size)
        return current
      }
    }
    isAtEnd = true
    return nil
  }

  /// The content of the file that `next` gave.
  ///
  /// Memory grows with what really comes, whatever the header claims.
  mutating func content() throws -> [UInt8] {
    let size = current.size
    var bytes: [UInt8] = []
    while bytes.count < size {
      let part = min(size - bytes.count, 1 << 20)
      let piece = try [UInt8](unsafeUninitializedCapacity: part) { buffer, count in
        count = try input.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      if part == size { bytes = piece } else { bytes += piece }
      rest -= piece.count
      guard piece.count == part else { throw endsInside(current.name) }
    }
    return bytes
  }

  private mutating func skipRest() throws {
    guard rest > 0 else { return }
    let padding = Self.padded(current.size) - current.size
    let skipped = try input.skip(rest)
    // Some writers leave out the padding of the last file.
    let isWhole = skipped == rest || skipped >= rest - padding
    rest = 0
    guard isWhole else { throw endsInside(current.name) }
  }

  /// The header that comes next; nil at the end.
  private mutating func nextHeader() throws -> TarHeader? {
    try withUnsafeTemporaryAllocation(byteCount: TarHeader.blockSize, alignment: 8) { block in
      let start = input.position
      let got = try input.read(into: block)
      guard got > 0 else { return nil }
      guard got == TarHeader.blockSize else {
        throw ShardError(problem: "it ends early, inside a header at byte \(start)")
      }
      do throws(ShardError) {
        let header = try TarHeader(UnsafeRawBufferPointer(block))
        hasEndMark = header == nil
        return header
      } catch {
        throw ShardError(problem: "\(error.problem) (at byte \(start))")
      }
    }
  }

  /// The content of a member that says something about the next one.
  private mutating func record(_ header: TarHeader) throws -> [UInt8] {
    guard header.size <= Self.maximumRecordSize else {
      throw ShardError(problem: "a header claims a name of \(header.size) bytes")
    }
    current = Member(name: header.name, size: header.size)
    return try content()
  }

  /// The records of pax, of which each is "LENGTH KEY=VALUE\n"; what is none ends the list.
  static func records(_ bytes: [UInt8]) -> [(key: String, value: String)] {
    var records: [(key: String, value: String)] = []
    var rest = bytes[...]
    while let space = rest.firstIndex(of: UInt8(ascii: " ")),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex + 1, length <= rest.count
    {
      let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
      rest = rest.dropFirst(length)
      guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { break }
      records.append(
        (
          String(decoding: record[..<equals], as: UTF8.self),
          String(decoding: record[(equals + 1)...], as: UTF8.self)
        ))
    }
    return records
  }

  static func padded(_ size: Int) -> Int {
    (size + TarHeader.blockSize - 1) / TarHeader.blockSize * TarHeader.blockSize
  }

  private func endsInside(_ name: String) -> ShardError {
    ShardError(problem: "it ends early, inside \(name)")
  }
}
