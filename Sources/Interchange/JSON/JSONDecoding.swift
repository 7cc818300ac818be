extension JSON {
  /// Decodes a value; whole numbers are accepted where a property is a floating-point number.
  ///
  /// - Throws: `JSONError` that names the key, what was found and what is expected.
  public func decode<T: Decodable>(
    _ type: T.Type = T.self, keys style: KeyStyle = .snakeCase
  ) throws(JSONError) -> T {
    do {
      return try ValueDecoder(value: self, style: style, codingPath: []).decode(type)
    } catch let error as JSONError {
      throw error
    } catch let DecodingError.dataCorrupted(context), let DecodingError.typeMismatch(_, context),
      let DecodingError.valueNotFound(_, context), let DecodingError.keyNotFound(_, context)
    {
      let text = context.debugDescription
      throw failure(context.codingPath, text.hasSuffix(".") ? String(text.dropLast()) : text)
    } catch {
      throw JSONError(sentence: "\(error)")
    }
  }
}

extension JSON: Codable {
  /// Takes the value over as it is when read by `JSON.decode`, or piece by piece from another
  /// decoder.
  public init(from decoder: any Decoder) throws {
    if let decoder = decoder as? ValueDecoder {
      self = decoder.value
    } else if let keyed = try? decoder.container(keyedBy: PlainKey.self) {
      self = .object(
        JSONObject(
          try keyed.allKeys.map { ($0.stringValue, try keyed.decode(JSON.self, forKey: $0)) }))
    } else if var list = try? decoder.unkeyedContainer() {
      var elements: [JSON] = []
      while !list.isAtEnd { elements.append(try list.decode(JSON.self)) }
      self = .array(elements)
    } else {
      let single = try decoder.singleValueContainer()
      if single.decodeNil() {
        self = .null
      } else if let value = try? single.decode(Bool.self) {
        self = .bool(value)
      } else if let value = try? single.decode(Int.self) {
        self = .int(value)
      } else if let value = try? single.decode(Double.self) {
        self = .double(value)
      } else {
        self = .string(try single.decode(String.self))
      }
    }
  }

  /// Writes the value to any encoder.
  public func encode(to encoder: any Encoder) throws {
    var single = encoder.singleValueContainer()
    switch self {
    case .null: try single.encodeNil()
    case .bool(let value): try single.encode(value)
    case .int(let value): try single.encode(value)
    case .double(let value): try single.encode(value)
    case .string(let value): try single.encode(value)
    case .array(let value): try single.encode(value)
    case .object(let object):
      var keyed = encoder.container(keyedBy: PlainKey.self)
      for (key, value) in object { try keyed.encode(value, forKey: PlainKey(key)) }
    }
  }
}

private func failure(_ path: [any CodingKey], _ problem: String) -> JSONError {
  let key = path.map(\.stringValue).joined(separator: ".")
  let sentence = problem.hasSuffix("?") ? problem : "\(problem)."
  return JSONError(sentence: key.isEmpty ? sentence : "\"\(key)\": \(sentence)")
}

private struct ValueDecoder: Decoder, SingleValueDecodingContainer {
  let value: JSON
  let style: JSON.KeyStyle
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard let object = value.object else { throw mismatch("an object") }
    return KeyedDecodingContainer(
      KeyedContainer<Key>(object: object, style: style, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard let elements = value.array else { throw mismatch("an array") }
    return UnkeyedContainer(elements: elements, style: style, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { value.isNull }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if let type = type as? any FixedWidthInteger.Type {
      if let result = integer(type) as? T { return result }
      throw mismatch(type.isSigned ? "a whole number" : "a whole number that is not negative")
    }
    let converted: Any?
    switch type {
    case is JSON.Type: converted = value
    case is Bool.Type: converted = value.bool
    case is String.Type: converted = value.string
    case is Double.Type: converted = value.double
    case is Float.Type: converted = value.double.map { Float($0) }
    case let type as any StringKeyedDictionary.Type:
      guard let object = value.object else { throw mismatch("an object") }
      converted = try type.decode(
        object.map {
          (
            $0.key,
            ValueDecoder(value: $0.value, style: style, codingPath: codingPath + [PlainKey($0.key)])
          )
        })
    default:
      do {
        return try T(from: self)
      } catch let error as DecodingError {
        throw unknownChoice(type) ?? error
      }
    }
    guard let result = converted as? T else { throw mismatch(expectation(of: type)) }
    return result
  }

  private func integer<I: FixedWidthInteger>(_ type: I.Type) -> I? {
    value.int.flatMap { I(exactly: $0) }
  }

  private func expectation(of type: any Any.Type) -> String {
    switch type {
    case is Bool.Type: "true or false"
    case is String.Type: "a text in quotes"
    default: "a number"
    }
  }

  fileprivate func mismatch(_ expected: String) -> JSONError {
    failure(codingPath, "found \(value.excerpt), but \(expected) is expected")
  }

  /// For an enum of texts, an error that lists the choices.
  private func unknownChoice(_ type: any Decodable.Type) -> JSONError? {
    guard let text = value.string, let type = type as? any CaseIterable.Type else { return nil }
    let choices = names(type)
    guard !choices.isEmpty else { return nil }
    let hint = nearestName(to: text, among: choices).map { "; did you mean \"\($0)\"?" } ?? ""
    let list = choices.map { "\"\($0)\"" }.joined(separator: ", ")
    return failure(codingPath, "found \(value.excerpt), but one of \(list) is expected\(hint)")
  }

  private func names<T: CaseIterable>(_ type: T.Type) -> [String] {
    type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
  }
}

/// Dictionaries are told from structs by this, because their keys are data and never restyled.
private protocol StringKeyedDictionary {
  static func decode(_ pairs: [(String, ValueDecoder)]) throws -> Any
}

extension Dictionary: StringKeyedDictionary where Key == String, Value: Decodable {
  fileprivate static func decode(_ pairs: [(String, ValueDecoder)]) throws -> Any {
    try Dictionary(pairs.map { ($0, try $1.decode(Value.self)) }) { $1 }
  }
}

private struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let object: JSONObject
  let style: JSON.KeyStyle
  let codingPath: [any CodingKey]
  var allKeys: [Key] { object.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { object[style.key(for: key.stringValue)] != nil }

  private func decoder(_ key: any CodingKey) throws -> ValueDecoder {
    let name = style.key(for: key.stringValue)
    guard let value = object[name] else {
      throw failure(codingPath, "the key \"\(name)\" is missing")
    }
    return ValueDecoder(value: value, style: style, codingPath: codingPath + [PlainKey(name)])
  }

  func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).decodeNil() }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try decoder(key).decode(type)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try decoder(key).container(keyedBy: type) }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { try decoder(PlainKey("super")) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct UnkeyedContainer: UnkeyedDecodingContainer {
  let elements: [JSON]
  let style: JSON.KeyStyle
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0

  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  init(elements: [JSON], style: JSON.KeyStyle, codingPath: [any CodingKey]) {
    (self.elements, self.style, self.codingPath) = (elements, style, codingPath)
  }

  private mutating func next() throws -> ValueDecoder {
    let path = codingPath + [PlainKey(currentIndex)]
    guard !isAtEnd else { throw failure(path, "the array is too short") }
    defer { currentIndex += 1 }
    return ValueDecoder(value: elements[currentIndex], style: style, codingPath: path)
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, elements[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decode(type) }

  mutating func nestedContainer<Key: CodingKey>(
    keyedBy type: Key.Type
  ) throws -> KeyedDecodingContainer<Key> { try next().container(keyedBy: type) }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder { try next() }
}
