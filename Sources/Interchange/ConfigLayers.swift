/// A configuration put together in layers: a preset, then files over it, then `key=value` flags.
///
/// Every layer is checked as it is added, so that an error names the layer it comes from: keys that
/// the preset does not have are refused with the nearest one that it has, and values of the wrong
/// type say what was found and what is expected. Nested keys are written with dots.
/// ```swift
/// var layers = try ConfigLayers(preset: VAEConfig())
/// try layers.overlay(file: "vae.json")
/// try layers.set("optimizer.learning_rate=2e-4")
/// let config = layers.config
/// ```
public struct ConfigLayers<Config: Codable> {
  /// The configuration with every layer added so far.
  public private(set) var config: Config
  /// The same as JSON, in the order of the properties of `Config`.
  public private(set) var json: JSON

  /// Starts with a preset.
  ///
  /// - Throws: `ConfigError` when the preset does not encode to a JSON object.
  public init(preset: Config) throws(ConfigError) {
    config = preset
    do {
      json = try JSON(encoding: preset)
    } catch {
      throw ConfigError(path: nil, sentence: "the preset cannot be written as JSON: \(error).")
    }
    guard json.object != nil else {
      throw ConfigError(path: nil, sentence: "the preset is no JSON object.")
    }
  }

  /// Lays the JSON object in the file at `path` over what is there.
  ///
  /// - Throws: `ConfigError` with the path when the file cannot be read or does not fit.
  public mutating func overlay(file path: String) throws(ConfigError) {
    let layer: JSON
    do {
      layer = try JSON(contentsOfFile: path)
    } catch {
      throw ConfigError(path: path, sentence: error.sentence)
    }
    try overlay(layer, from: path)
  }

  /// Lays a JSON object over what is there; `source` names it in errors.
  ///
  /// - Throws: `ConfigError` when a key is unknown or a value has the wrong type.
  public mutating func overlay(_ layer: JSON, from source: String) throws(ConfigError) {
    var merged = json
    try merge(layer, into: &merged, at: [], source: source)
    try adopt(merged, source: source)
  }

  /// Sets one key from `key=value`, where the value is JSON or, failing that, a text.
  ///
  /// - Throws: `ConfigError` when there is no `=`, the key is unknown or the value does not fit.
  public mutating func set(_ assignment: String) throws(ConfigError) {
    guard let equals = assignment.firstIndex(of: "="), equals > assignment.startIndex else {
      throw ConfigError(
        path: assignment, sentence: "a setting is written as key=value, for example batch_size=64.")
    }
    let keys = assignment[..<equals].split(separator: ".", omittingEmptySubsequences: false)
      .map(String.init)
    let text = String(assignment[assignment.index(after: equals)...])
    let parsed = try? JSON(parsing: text)
    let current = keys.reduce(Optional(json)) { $0?[$1] }
    let isText = current?.string != nil || parsed == nil
    do {
      try overlay(
        nested(keys, isText ? (parsed?.string.map(JSON.string) ?? .string(text)) : parsed ?? .null),
        from: assignment)
    } catch {
      // An optional text that is nil so far looks like any other null: 1024 may be meant as text.
      guard current?.isNull == true, !isText,
        (try? overlay(nested(keys, .string(text)), from: assignment)) != nil
      else { throw error }
    }
  }

  private func nested(_ keys: [String], _ value: JSON) -> JSON {
    keys.reversed().reduce(value) { .object([$1: $0]) }
  }

  private func merge(
    _ layer: JSON, into base: inout JSON, at keys: [String], source: String
  ) throws(ConfigError) {
    guard let known = base.object else {
      base = layer
      return
    }
    guard let object = layer.object else {
      let name = keys.isEmpty ? "the configuration" : "\"\(keys.joined(separator: "."))\""
      throw ConfigError(
        path: source, sentence: "\(name) is \(layer.excerpt), but an object is expected.")
    }
    for (key, value) in object {
      // An empty object is a dictionary that takes any key.
      let isDictionary = known.isEmpty && !keys.isEmpty
      guard var child = known[key] ?? (isDictionary ? JSON.null : Optional.none) else {
        throw unknownKey(keys + [key], among: known.keys.map { keys + [$0] }, source: source)
      }
      try merge(value, into: &child, at: keys + [key], source: source)
      base[key] = child
    }
  }

  private func unknownKey(
    _ keys: [String], among known: [[String]], source: String
  ) -> ConfigError {
    let name = keys.joined(separator: ".")
    let siblings = known.map { $0.joined(separator: ".") }
    let everywhere = dottedKeys(json, prefix: "")
    // A key at the wrong level is as common as a misspelt one: look everywhere, last name alone too.
    let nearest =
      nearestName(to: name, among: siblings) ?? nearestName(to: name, among: everywhere)
      ?? everywhere.first { $0.split(separator: ".").last == keys.last?[...] }
    let hint =
      nearest.map { "did you mean \"\($0)\"?" }
      ?? "known keys here are \(known.compactMap(\.last).joined(separator: ", "))."
    return ConfigError(path: source, sentence: "the key \"\(name)\" is unknown; \(hint)")
  }

  private func dottedKeys(_ value: JSON, prefix: String) -> [String] {
    (value.object.map(Array.init) ?? []).flatMap { pair in
      [prefix + pair.key] + dottedKeys(pair.value, prefix: prefix + pair.key + ".")
    }
  }

  private mutating func adopt(_ merged: JSON, source: String) throws(ConfigError) {
    do {
      config = try merged.decode(Config.self)
      json = try JSON(encoding: config)
    } catch let error as JSONError {
      throw ConfigError(path: source, sentence: error.sentence)
    } catch {
      throw ConfigError(path: source, sentence: "\(error).")
    }
  }
}

/// A configuration layer that does not fit.
public struct ConfigError: ExplainedError, Equatable {
  /// The file or the `key=value` text that does not fit.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// Makes an error about the layer `path`.
  public init(path: String?, sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}
