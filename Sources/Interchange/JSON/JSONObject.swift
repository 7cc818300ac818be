/// The keys and values of a JSON object, in the order in which they were added.
///
/// Two objects are equal when they hold the same values under the same keys, in whatever order.
/// Keys are Swift strings: texts that are canonically equivalent in Unicode are the same key.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
  /// The keys in order.
  public private(set) var keys: [String] = []
  private var values: [String: JSON] = [:]

  /// Makes an object from pairs; of equal keys the last one counts.
  public init(_ pairs: some Sequence<(String, JSON)> = []) {
    for (key, value) in pairs { self[key] = value }
  }

  /// Makes an object from a literal; of equal keys the last one counts.
  public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }

  /// The number of keys.
  public var count: Int { keys.count }

  /// Whether there is no key at all.
  public var isEmpty: Bool { keys.isEmpty }

  /// The value under `key`, or nil; a new key goes to the end, and setting nil removes the key.
  public subscript(key: String) -> JSON? {
    get { values[key] }
    set {
      let old =
        newValue.map { values.updateValue($0, forKey: key) } ?? values.removeValue(forKey: key)
      if newValue != nil, old == nil {
        keys.append(key)
      } else if newValue == nil, old != nil {
        keys.removeAll { $0 == key }
      }
    }
  }

  /// Adds a key that must be new; returns false, and changes nothing, when it is there already.
  mutating func insertNew(_ value: JSON, forKey key: String) -> Bool {
    guard values.updateValue(value, forKey: key) == nil else { return false }
    keys.append(key)
    return true
  }
}

extension JSONObject: Equatable {
  /// Whether both hold the same values under the same keys.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.values == right.values
  }
}

extension JSONObject: Sequence {
  /// Goes through keys and values in order.
  public func makeIterator() -> some IteratorProtocol<(key: String, value: JSON)> {
    keys.lazy.map { (key: $0, value: values[$0] ?? .null) }.makeIterator()
  }
}
