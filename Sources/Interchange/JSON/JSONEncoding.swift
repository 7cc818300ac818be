extension JSON {
  /// Encodes a value, keeping the order in which its properties are declared.
  ///
  /// Unlike Foundation's encoder this writes optional properties that are nil as `null` (a reader of
  /// the file sees that they exist), and dictionaries sorted by key.
  /// - Throws: Whatever the value's own `encode(to:)` throws.
  public init(encoding value: some Encodable, keys style: KeyStyle = .snakeCase) throws {
    let node = EncodingNode()
    try node.encode(value, style, [])
    self = node.json
  }
}

/// One place in the tree that is being encoded; containers fill it in.
private final class EncodingNode {
  private enum Content {
    case value(JSON)
    case array([EncodingNode])
    case object(keys: [String], nodes: [String: EncodingNode])
  }
  private var content = Content.value(.null)

  var json: JSON {
    switch content {
    case .value(let value): value
    case .array(let nodes): .array(nodes.map(\.json))
    case .object(let keys, let nodes):
      .object(JSONObject(keys.lazy.map { ($0, nodes[$0]?.json ?? .null) }))
    }
  }

  var count: Int { if case .array(let nodes) = content { nodes.count } else { 0 } }

  func set(_ value: JSON) { content = .value(value) }

  func beginObject() { if case .value = content { content = .object(keys: [], nodes: [:]) } }

  func beginArray() { if case .value = content { content = .array([]) } }

  func child(_ key: String) -> EncodingNode {
    guard case .object(var keys, var nodes) = content else { return EncodingNode() }
    let child = EncodingNode()
    if nodes.updateValue(child, forKey: key) == nil { keys.append(key) }
    content = .object(keys: keys, nodes: nodes)
    return child
  }

  func nextElement() -> EncodingNode {
    guard case .array(var nodes) = content else { return EncodingNode() }
    content = .value(.null)
    nodes.append(EncodingNode())
    content = .array(nodes)
    return nodes[nodes.count - 1]
  }

  func encode(_ value: some Encodable, _ style: JSON.KeyStyle, _ path: [any CodingKey]) throws {
    switch value {
    case let value as JSON: set(value)
    case let value as Bool: set(.bool(value))
    case let value as String: set(.string(value))
    case let value as Double: set(.double(value))
    // Through text: 0.1 as Float is to be written as 0.1, not as 0.10000000149011612.
    case let value as Float: set(Double(value.description).map(JSON.double) ?? .null)
    case let value as any FixedWidthInteger:
      set(Int(exactly: value).map(JSON.int) ?? .double(Double(value)))
    case let value as any StringKeyedDictionary:
      beginObject()
      for (key, element) in value.encodablePairs {
        try child(key).encode(element, style, path + [PlainKey(key)])
      }
    default:
      try value.encode(to: ValueEncoder(node: self, style: style, codingPath: path))
    }
  }
}

/// Dictionaries are told from structs by this, because their keys are data and never restyled.
private protocol StringKeyedDictionary {
  var encodablePairs: [(String, any Encodable)] { get }
}

extension Dictionary: StringKeyedDictionary where Key == String, Value: Encodable {
  fileprivate var encodablePairs: [(String, any Encodable)] {
    sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

struct PlainKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(_ text: String) { (stringValue, intValue) = (text, nil) }
  init(_ index: Int) { (stringValue, intValue) = (String(index), index) }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { self.init(intValue) }
}

private struct ValueEncoder: Encoder, SingleValueEncodingContainer {
  let node: EncodingNode
  let style: JSON.KeyStyle
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.beginObject()
    return KeyedEncodingContainer(
      KeyedContainer<Key>(node: node, style: style, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.beginArray()
    return UnkeyedContainer(node: node, style: style, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() { node.set(.null) }
  func encode<T: Encodable>(_ value: T) throws { try node.encode(value, style, codingPath) }
}

private struct UnkeyedContainer: UnkeyedEncodingContainer {
  let node: EncodingNode
  let style: JSON.KeyStyle
  let codingPath: [any CodingKey]
  var count: Int { node.count }

  func encodeNil() { node.nextElement().set(.null) }

  func encode<T: Encodable>(_ value: T) throws {
    try node.nextElement().encode(value, style, codingPath + [PlainKey(count)])
  }

  func nestedContainer<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
    superEncoder().container(keyedBy: Key.self)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    superEncoder().unkeyedContainer()
  }

  func superEncoder() -> any Encoder {
    ValueEncoder(node: node.nextElement(), style: style, codingPath: codingPath + [PlainKey(count)])
  }
}

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: EncodingNode
  let style: JSON.KeyStyle
  let codingPath: [any CodingKey]

  private func child(_ key: some CodingKey) -> EncodingNode {
    node.child(style.key(for: key.stringValue))
  }

  private func encoder(_ key: some CodingKey) -> ValueEncoder {
    ValueEncoder(node: child(key), style: style, codingPath: codingPath + [key])
  }

  func encodeNil(forKey key: Key) { child(key).set(.null) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try child(key).encode(value, style, codingPath + [key])
  }

  // The defaults of these leave the key out when the value is nil.
  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    try optional(value, key)
  }
  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try optional(value, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try optional(value, key) }

  private func optional(_ value: (some Encodable)?, _ key: Key) throws {
    if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { encoder(key).container(keyedBy: Nested.self) }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { encoder(PlainKey("super")) }
  func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
}
