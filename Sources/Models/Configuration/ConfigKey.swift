import Interchange

/// One key of a `config.json`, and what reads and writes it: a configuration is the list of its keys.
struct ConfigKey<Config> {
  let name: String
  let read: (inout Config, KeyedDecodingContainer<Name>) throws -> Void
  let write: (Config) throws -> JSON

  /// A key that a property holds.
  init<Value: Codable>(_ name: String, _ path: WritableKeyPath<Config, Value>) {
    self.name = name
    read = { $0[keyPath: path] = try $1.decode(Value.self, forKey: Name(name)) }
    write = { try JSON(encoding: $0[keyPath: path]) }
  }

  /// A key whose only value here is `value`: a network with another would be another network.
  init(_ name: String, always value: JSON) {
    self.name = name
    read = { _, container in
      let found = try container.decode(JSON.self, forKey: Name(name))
      guard found == value || (value.double != nil && found.double == value.double) else {
        throw DecodingError.dataCorruptedError(
          forKey: Name(name), in: container,
          debugDescription: "found \(found), but \(value) is expected")
      }
    }
    write = { _ in value }
  }

  /// The name of any key.
  struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }
}

extension ConfigKey {
  /// Reads a file's keys over what `config` holds, and returns those that are not in `keys`.
  ///
  /// Throws for a key of another type, an unknown choice, or the configuration of another class.
  static func read(
    _ keys: [ConfigKey], of className: String, into config: inout Config, from decoder: any Decoder
  ) throws -> JSONObject {
    let container = try decoder.container(keyedBy: Name.self)
    for key in [ConfigKey(classKey, always: .string(className))] + keys
    where container.contains(Name(key.name)) {
      try key.read(&config, container)
    }
    let known = Set(keys.map(\.name) + [classKey])
    let object = try JSON(from: decoder).object ?? [:]
    return JSONObject(object.filter { !known.contains($0.key) }.map { ($0.key, $0.value) })
  }

  /// Writes every key, the `others` last.
  static func write(
    _ keys: [ConfigKey], of className: String, _ config: Config, others: JSONObject,
    to encoder: any Encoder
  ) throws {
    var json: JSONObject = [classKey: .string(className)]
    for key in keys { json[key.name] = try key.write(config) }
    for (key, value) in others { json[key] = value }
    var single = encoder.singleValueContainer()
    try single.encode(JSON.object(json))
  }

  private static var classKey: String { "_class_name" }
}
