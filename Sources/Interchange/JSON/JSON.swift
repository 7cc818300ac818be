/// A JSON value whose objects keep the order of their keys.
///
/// Whole numbers that fit 64 bits are `int` and stay exact; every other number is `double`.
/// ```swift
/// let run: JSON = ["seed": 42, "sizes": [8, 16], "note": nil]
/// let seed = run["seed"]?.int
/// ```
public enum JSON: Sendable, Equatable {
  /// The literal `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A whole number that fits 64 bits.
  case int(Int)
  /// Any other number; one that is not finite is written as `null`, because JSON has no word for it.
  case double(Double)
  /// A text.
  case string(String)
  /// A list of values.
  case array([JSON])
  /// Keys and values in order.
  case object(JSONObject)
}

extension JSON {
  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// The truth value, or nil when this is something else.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The whole number (also for a `double` without fraction, such as `1e4`), or nil.
  public var int: Int? {
    switch self {
    case .int(let value): value
    case .double(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number, whole or not, or nil when this is something else.
  public var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// The text, or nil when this is something else.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The elements, or nil when this is something else.
  public var array: [JSON]? {
    if case .array(let value) = self { value } else { nil }
  }

  /// The keys and values, or nil when this is something else.
  public var object: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The value under `key`, or nil when this is no object or has no such key; setting makes a
  /// `null` into an object and has no effect on other kinds of values.
  public subscript(key: String) -> JSON? {
    get { object?[key] }
    set {
      var object: JSONObject
      switch self {
      case .object(let value): object = value
      case .null: object = [:]
      default: return
      }
      self = .null  // So that the object below is held once and changes in place.
      object[key] = newValue
      self = .object(object)
    }
  }

  /// The element at `index`, or nil when this is no array or has no such element.
  public subscript(index: Int) -> JSON? {
    guard let array, array.indices.contains(index) else { return nil }
    return array[index]
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// Makes `null`.
  public init(nilLiteral: ()) { self = .null }
  /// Makes a truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// Makes a whole number.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// Makes a number.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// Makes a text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// Makes a list.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// Makes an object; of equal keys the last one counts.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(JSONObject(elements))
  }
}
