extension JSON: CustomStringConvertible {
  /// The value on one line, without spaces: `{"a":[1,2]}`.
  ///
  /// Doubles have the fewest digits that read back to the same value; those that are not finite are
  /// written as `null`. Text beyond ASCII stays as it is.
  public var compact: String {
    var writer = JSONWriter(isPretty: false, dialect: .strict)
    writer.write(self)
    return String(decoding: writer.text, as: UTF8.self)
  }

  /// The value with one key a line, indented by two spaces; arrays of plain values stay on a line.
  public var pretty: String { pretty(.strict) }

  private func pretty(_ dialect: Dialect) -> String {
    var writer = JSONWriter(isPretty: true, dialect: dialect)
    writer.write(self)
    return String(decoding: writer.text, as: UTF8.self)
  }

  /// The compact text.
  public var description: String { compact }

  /// Writes the pretty text and a final newline to a file that appears whole or not at all.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public func write(to path: String, dialect: Dialect = .strict) throws(FileError) {
    try AtomicFile.write(pretty(dialect) + "\n", to: path)
  }

  /// The compact text cut to a length that fits an error message.
  public var excerpt: String {
    switch self {
    case .array: return "an array"
    case .object: return "an object"
    default:
      let text = compact
      return text.count <= 48 ? text : text.prefix(40) + "…" + (string == nil ? "" : "\"")
    }
  }
}

private struct JSONWriter {
  let isPretty: Bool
  let dialect: JSON.Dialect
  var text: [UInt8] = []
  private var depth = 0

  init(isPretty: Bool, dialect: JSON.Dialect) {
    self.isPretty = isPretty
    self.dialect = dialect
  }

  mutating func write(_ value: JSON) {
    switch value {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .int(let value): append(String(value))
    case .double(let value): append(value.isFinite ? value.description : word(value))
    case .string(let value): write(value)
    case .array(let elements):
      let isPlain = elements.allSatisfy { $0.array == nil && $0.object == nil }
      list(elements, "[", "]", onOneLine: isPlain) { $0.write($1) }
    case .object(let object):
      list(Array(object), "{", "}", onOneLine: false) { writer, pair in
        writer.write(pair.key)
        writer.append(writer.isPretty ? ": " : ":")
        writer.write(pair.value)
      }
    }
  }

  /// A number that JSON has no word for.
  private func word(_ value: Double) -> String {
    switch dialect {
    case .strict: "null"
    case .python: value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }
  }

  private mutating func list<Element>(
    _ elements: [Element], _ opening: String, _ closing: String, onOneLine: Bool,
    _ write: (inout JSONWriter, Element) -> Void
  ) {
    append(opening)
    depth += 1
    for (index, element) in elements.enumerated() {
      if index > 0 { append(isPretty && onOneLine ? ", " : ",") }
      if !onOneLine { newLine() }
      write(&self, element)
    }
    depth -= 1
    if !onOneLine, !elements.isEmpty { newLine() }
    append(closing)
  }

  private mutating func newLine() {
    guard isPretty else { return }
    append("\n")
    text.append(contentsOf: repeatElement(0x20, count: 2 * depth))
  }

  private mutating func write(_ string: String) {
    append("\"")
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x08: append("\\b")
      case 0x0C: append("\\f")
      case 0x0A: append("\\n")
      case 0x0D: append("\\r")
      case 0x09: append("\\t")
      case 0..<0x10: append("\\u000" + String(byte, radix: 16))
      case 0x10..<0x20: append("\\u00" + String(byte, radix: 16))
      default: text.append(byte)
      }
    }
    append("\"")
  }

  private mutating func append(_ string: String) { text.append(contentsOf: string.utf8) }
}
