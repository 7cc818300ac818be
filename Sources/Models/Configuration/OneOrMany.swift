import Interchange

/// A setting that a `config.json` gives once for all places, or as a list with one for each.
public enum OneOrMany<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
  /// The same everywhere.
  case one(Value)
  /// One for each place.
  case many([Value])

  /// Reads a value or a list of values.
  public init(from decoder: any Decoder) throws {
    if try JSON(from: decoder).array != nil {
      self = .many(try [Value](from: decoder))
    } else {
      self = .one(try decoder.singleValueContainer().decode(Value.self))
    }
  }

  /// Writes what was read.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .one(let value): try value.encode(to: encoder)
    case .many(let values): try values.encode(to: encoder)
    }
  }

  /// The value at a place; a list has to be long enough.
  public subscript(place: Int) -> Value {
    switch self {
    case .one(let value): value
    case .many(let values): values[place]
    }
  }

  /// Every value that stands in the file.
  var values: [Value] {
    switch self {
    case .one(let value): [value]
    case .many(let values): values
    }
  }

  /// How many values a list has; `nil` where one stands for all.
  var count: Int? {
    if case .many(let values) = self { values.count } else { nil }
  }
}
