/// What is wrong with a shard or with a sample of it, as a clause.
struct ShardError: Error, Equatable {
  let problem: String
}

/// One header block of a tar archive: ustar (POSIX.1-1988), with GNU's numbers in base 256.
struct TarHeader: Equatable {
  /// Headers are as long as this, and contents are padded to a multiple of it.
  static let blockSize = 512

  enum Kind: Equatable {
    case file
    /// Its content is the name of the next member (GNU).
    case longName
    /// Its content are records about the next member (pax).
    case extended
    /// Folders, links, devices, records about the whole archive.
    case other
  }

  let name: String
  /// The bytes that follow, without padding.
  let size: Int
  let kind: Kind

  /// Reads a block of `blockSize` bytes; nil for one of zeros, which ends an archive.
  init?(_ block: UnsafeRawBufferPointer) throws(ShardError) {
    guard block.contains(where: { $0 != 0 }) else { return nil }
    guard Self.isIntact(block) else {
      throw ShardError(problem: "a header is damaged or this is no tar archive")
    }
    guard let size = Self.number(block[124..<136]) else {
      throw ShardError(problem: "a header has no size that could be")
    }
    var name = Self.text(block[0..<100])
    if block[257..<263].elementsEqual("ustar\0".utf8) {
      let prefix = Self.text(block[345..<500])
      if !prefix.isEmpty { name = "\(prefix)/\(name)" }
    }
    switch block[156] {
    case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
      // Before POSIX a folder was a file whose name ends like this.
      kind = name.hasSuffix("/") ? .other : .file
    case UInt8(ascii: "L"): kind = .longName
    case UInt8(ascii: "x"): kind = .extended
    default: kind = .other
    }
    // Links, devices and folders may tell a size, and nothing follows them.
    let isBare = (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(block[156])
    self.name = name
    self.size = isBare ? 0 : size
  }

  /// Whether the sum of the bytes is the one that the block names, its own field taken as spaces.
  private static func isIntact(_ block: UnsafeRawBufferPointer) -> Bool {
    guard let wanted = number(block[148..<156]) else { return false }
    var (plain, signed) = (0, 0)  // Some old archives sum signed bytes.
    for byte in block {
      plain += Int(byte)
      signed += Int(Int8(bitPattern: byte))
    }
    for byte in block[148..<156] {
      plain += 32 - Int(byte)
      signed += 32 - Int(Int8(bitPattern: byte))
    }
    return wanted == plain || wanted == signed
  }

  /// A number in octal digits, or in base 256 where the first bit is set; nil for neither.
  static func number(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      guard first == 0x80 else { return nil }  // Negative, or larger than a file can be.
      var value = 0
      for byte in field.dropFirst() {
        guard value < 1 << 48 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    var (value, digits) = (0, 0)
    for byte in field.drop(while: { $0 == UInt8(ascii: " ") }) {
      if byte == 0 || byte == UInt8(ascii: " ") { break }
      guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) else { return nil }
      value = value << 3 | Int(byte - UInt8(ascii: "0"))
      digits += 1
    }
    return digits > 0 ? value : nil
  }

  /// The bytes before the first zero.
  private static func text(_ field: Slice<UnsafeRawBufferPointer>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }
}
