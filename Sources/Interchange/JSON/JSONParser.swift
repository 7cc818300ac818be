extension JSON {
  /// Which numbers a JSON text may hold.
  public enum Dialect: Sendable {
    /// Those of RFC 8259.
    case strict
    /// Also `NaN`, `Infinity` and `-Infinity`, as Python's `json` reads and writes them.
    case python
  }

  /// How deep arrays and objects may lie in each other.
  public static let maximumDepth = 128

  /// Parses UTF-8 text by the letter of RFC 8259.
  ///
  /// Refused are: anything but one value, duplicate keys, NaN and infinities (unless `dialect` has
  /// them), numbers beyond the range of a double, unpaired surrogates, invalid UTF-8, a byte-order
  /// mark, and nesting deeper than `maximumDepth`.
  /// - Throws: `JSONError` that names line and column.
  public init(
    parsing bytes: UnsafeRawBufferPointer, dialect: Dialect = .strict
  ) throws(JSONError) {
    let bytes = bytes.bindMemory(to: UInt8.self)
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw JSONError(sentence: "the JSON text is not valid UTF-8; save it as UTF-8.")
    }
    var parser = JSONParser(bytes: bytes, dialect: dialect)
    self = try parser.document()
  }

  /// Parses UTF-8 text by the letter of RFC 8259.
  ///
  /// - Throws: `JSONError` that names line and column.
  public init(parsing bytes: [UInt8], dialect: Dialect = .strict) throws(JSONError) {
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
      try JSON(parsing: UnsafeRawBufferPointer(bytes), dialect: dialect)
    }
  }

  /// Parses a text by the letter of RFC 8259.
  ///
  /// - Throws: `JSONError` that names line and column.
  public init(parsing text: String, dialect: Dialect = .strict) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), dialect: dialect)
  }

  /// Reads and parses a file.
  ///
  /// - Throws: `JSONError` with the path, when the file cannot be read or is malformed.
  public init(contentsOfFile path: String, dialect: Dialect = .strict) throws(JSONError) {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    do {
      self = try file.withUnsafeBytes { (bytes) throws(JSONError) in
        try JSON(parsing: bytes, dialect: dialect)
      }
    } catch {
      throw error.at(path: path)
    }
  }
}

/// A recursive-descent parser over bytes that are known to be valid UTF-8.
private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  let dialect: JSON.Dialect
  var position = 0
  var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>, dialect: JSON.Dialect) {
    self.bytes = bytes
    self.dialect = dialect
  }

  mutating func document() throws(JSONError) -> JSON {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw failure("a byte-order mark stands before the value; save the file without one")
    }
    skipSpace()
    let value = try value()
    skipSpace()
    guard position == bytes.count else {
      throw failure("something follows the value; remove it")
    }
    return value
  }

  private mutating func value() throws(JSONError) -> JSON {
    guard let byte = peek() else {
      throw failure("the text ends where a value is expected; it is cut short")
    }
    switch byte {
    case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-")
    where dialect == .python && position + 1 < bytes.count
      && bytes[position + 1] == UInt8(ascii: "I"):
      return try word("-Infinity", .double(-.infinity))
    case UInt8(ascii: "I") where dialect == .python:
      return try word("Infinity", .double(.infinity))
    case UInt8(ascii: "N") where dialect == .python: return try word("NaN", .double(.nan))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw failure("a value is expected here")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSON
  ) throws(JSONError) -> JSON {
    depth += 1
    guard depth <= JSON.maximumDepth else {
      throw failure("arrays and objects lie more than \(JSON.maximumDepth) deep in each other")
    }
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONError) -> JSON {
    var object = JSONObject()
    skipSpace()
    if take("}") { return .object(object) }
    repeat {
      skipSpace()
      let start = position
      guard peek() == UInt8(ascii: "\"") else {
        throw failure("a key in double quotes is expected here")
      }
      let key = try string()
      skipSpace()
      guard take(":") else { throw failure("\":\" is expected here") }
      skipSpace()
      let value = try value()
      guard object.insertNew(value, forKey: key) else {
        position = start
        throw failure("the key \(JSON.string(key).excerpt) stands twice in one object; keep one")
      }
      skipSpace()
    } while take(",")
    guard take("}") else { throw failure("\",\" or \"}\" is expected here") }
    return .object(object)
  }

  private mutating func array() throws(JSONError) -> JSON {
    var elements: [JSON] = []
    skipSpace()
    if take("]") { return .array(elements) }
    repeat {
      skipSpace()
      elements.append(try value())
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("\",\" or \"]\" is expected here") }
    return .array(elements)
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[position..<end].elementsEqual(
        UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    else { throw failure("a value is expected here") }
    position = end
    return value
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    var isWhole = true
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") {
      isWhole = false
      try digits()
    }
    if take("e") || take("E") {
      isWhole = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    let text = String(
      decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    if isWhole, let value = Int(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else {
      position = start
      throw failure("this number is too large for a double")
    }
    return .double(value)
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      position += 1
    }
    guard position > start else { throw failure("a digit is expected here") }
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
    let plain = UnsafeBufferPointer(rebasing: bytes[start..<position])
    if take("\"") { return String(decoding: plain, as: UTF8.self) }
    var text = Array(plain)
    while true {
      guard let byte = peek() else {
        throw failure("a string is not closed; the text is cut short")
      }
      guard byte >= 0x20 else {
        throw failure("a string holds a raw control character; write it as an escape")
      }
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      default: text.append(byte)
      }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    let byte = peek()
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte ?? 0)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexDigits()
      if (0xD800..<0xDC00).contains(code), take("\\"), take("u") {
        let low = try hexDigits()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("a surrogate is unpaired") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("a surrogate is unpaired") }
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default:
      position -= 1
      throw failure("a string holds an unknown escape")
    }
  }

  private mutating func hexDigits() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits are expected after \\u")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private func failure(_ problem: String) -> JSONError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let column =
      String(
        decoding: UnsafeBufferPointer(rebasing: before[lineStart...]), as: UTF8.self
      ).count + 1
    return JSONError(sentence: "JSON line \(line), column \(column): \(problem).")
  }
}
