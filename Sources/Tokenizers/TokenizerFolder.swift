import Foundation
import Interchange

/// The files of a `tokenizer/` folder as diffusers lays it out.
///
/// They are read as transformers 5 reads them: `tokenizer.json` where there is one, `vocab.json` and
/// `merges.txt` otherwise; roles of special tokens from `tokenizer_config.json`, over which
/// `special_tokens_map.json` goes unless the former lists an `added_tokens_decoder`.
struct TokenizerFolder {
  let folder: String
  private(set) var ids: [String: Int] = [:]
  private(set) var merges: [(String, String)] = []
  private(set) var config = JSONObject()
  /// Tokens with flags from the files, by their ids.
  private(set) var added: [(id: Int, token: JSONObject)] = []

  static let vocabulary = "vocab.json"
  static let merges = "merges.txt"
  static let whole = "tokenizer.json"
  static let config = "tokenizer_config.json"
  static let map = "special_tokens_map.json"
  static let addedTokens = "added_tokens.json"
  static let defaultWindowLength = 77

  /// Reads the files in `folder`. Throws an `ExplainedError` that names the file.
  init(_ folder: String) throws {
    self.folder = folder
    let whole = try object(Self.whole)
    if let whole {
      try readModel(whole)
    } else {
      ids = try Self.ids(
        try JSON(contentsOfFile: path(Self.vocabulary)), path: path(Self.vocabulary))
      merges = try Self.merges(path: path(Self.merges))
    }
    config = try object(Self.config) ?? [:]
    if let decoder = config["added_tokens_decoder"]?.object {
      for (key, value) in decoder {
        guard let id = Int(key), let token = value.object else {
          throw JSONError(
            path: path(Self.config),
            sentence: "\"added_tokens_decoder\" must list ids with an object each.")
        }
        added.append((id, token))
      }
      return
    }
    for (role, token) in try object(Self.map) ?? [:] {
      guard var flags = token.object else {
        config[role] = token
        continue
      }
      flags["special"] = true
      config[role] = .object(flags)
    }
    let roles = Set(Self.roles.compactMap { config[$0].flatMap(Self.content) })
    for (content, id) in try object(Self.addedTokens) ?? [:] {
      guard let id = id.int else {
        throw JSONError(path: path(Self.addedTokens), sentence: "it must list texts with ids.")
      }
      added.append(
        (id, ["content": .string(content), "special": .bool(roles.contains(content))]))
    }
    for token in whole?["added_tokens"]?.array ?? [] {
      guard let flags = token.object, let id = flags["id"]?.int else {
        throw JSONError(
          path: path(Self.whole), sentence: "\"added_tokens\" must list objects with an \"id\".")
      }
      added.append((id, flags))
    }
  }

  /// The keys that name special tokens, in the order in which they are added.
  static let roles = ["bos_token", "eos_token", "unk_token", "pad_token"]

  static func content(_ token: JSON) -> String? { token.string ?? token["content"]?.string }

  func path(_ file: String) -> String { "\(folder)/\(file)" }

  /// The file that a problem of the vocabulary is about.
  func path(of file: VocabularyProblem.File) -> String {
    if FileManager.default.fileExists(atPath: path(Self.whole)) { return path(Self.whole) }
    return path(file == .merges ? Self.merges : Self.vocabulary)
  }

  /// The length of a window. Throws for one that no window can have, and for padding or cutting at
  /// the beginning.
  func windowLength() throws(JSONError) -> Int {
    for key in ["padding_side", "truncation_side"] {
      if let side = config[key]?.string, side != "right" {
        throw JSONError(
          path: path(Self.config),
          sentence: "\"\(key)\" is \"\(side)\"; text encoders need \"right\".")
      }
    }
    guard let length = config["model_max_length"], !length.isNull else {
      return Self.defaultWindowLength
    }
    guard let number = length.double, number >= 3 else {
      throw JSONError(
        path: path(Self.config),
        sentence: "\"model_max_length\" is \(length.excerpt); it must be a number from 3 on.")
    }
    // transformers writes 1e30 where there is no limit.
    return number <= 1_048_576 ? Int(number) : Self.defaultWindowLength
  }

  private func object(_ file: String) throws -> JSONObject? {
    // Only vocabulary and merges have to be there.
    guard FileManager.default.fileExists(atPath: path(file)) else { return nil }
    let json = try JSON(contentsOfFile: path(file))
    guard let object = json.object else {
      throw JSONError(path: path(file), sentence: "it is \(json.excerpt), not an object.")
    }
    return object
  }

  private mutating func readModel(_ whole: JSONObject) throws {
    let path = path(Self.whole)
    guard let model = whole["model"], model["type"]?.string ?? "BPE" == "BPE",
      let vocabulary = model["vocab"], let list = model["merges"]?.array
    else {
      throw JSONError(
        path: path, sentence: "it holds no byte-pair \"model\" with \"vocab\" and \"merges\".")
    }
    ids = try Self.ids(vocabulary, path: path)
    merges = try list.enumerated().map { place, merge in
      let parts =
        merge.string?.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        ?? merge.array?.compactMap(\.string) ?? []
      guard parts.count == 2 else {
        throw JSONError(
          path: path, sentence: "merge \(place + 1) is \(merge.excerpt), not a pair of tokens.")
      }
      return (parts[0], parts[1])
    }
  }

  private static func ids(_ json: JSON, path: String) throws -> [String: Int] {
    guard let object = json.object else {
      throw JSONError(path: path, sentence: "it must be an object of tokens with their ids.")
    }
    var ids: [String: Int] = [:]
    ids.reserveCapacity(object.count)
    for (token, value) in object {
      guard case .int(let id) = value else {
        throw JSONError(
          path: path,
          sentence: "the token \(JSON.string(token).excerpt) has the id \(value.excerpt); "
            + "a whole number is expected.")
      }
      ids[token] = id
    }
    return ids
  }

  private static func merges(path: String) throws -> [(String, String)] {
    let bytes = try MappedFile(path: path).withUnsafeBytes { Array($0) }
    var merges: [(String, String)] = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      if line.isEmpty || line.starts(with: "#version".utf8) { continue }
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw JSONError(
          path: path, sentence: "line \(number + 1) is not two tokens with a space between them.")
      }
      merges.append(
        (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self)))
    }
    return merges
  }
}
