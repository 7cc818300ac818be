import Interchange

extension CLIPTokenizer {
  /// Reads a `tokenizer/` folder that diffusers, transformers or `save(to:)` wrote; `padding` fills
  /// windows up in place of what the folder says.
  ///
  /// Throws an `ExplainedError` that names the file for a missing or damaged one, a merge without its
  /// tokens, or a special token without an id.
  public init(folder: String, padding: String? = nil) throws {
    let files = try TokenizerFolder(folder)
    let pairs: BytePairs
    do {
      pairs = try BytePairs(ids: files.ids, merges: files.merges)
    } catch {
      throw JSONError(path: files.path(of: error.file), sentence: error.sentence)
    }
    var special = SpecialTokenList(ids: files.ids)
    for (id, token) in files.added.sorted(by: { $0.id < $1.id }) {
      guard special.add(.object(token), id: id) != nil else {
        throw JSONError(
          path: files.folder,
          sentence:
            "an added token with the id \(id) has no \"content\", or its id is not in "
            + "0..<\(BytePairs.idLimit).")
      }
    }
    // Of equal contents the flags given last count; those of listed tokens count for their roles.
    let listed = Dictionary(files.added.map { ($0.token["content"]?.string, $0.token) }) { $1 }
    let defaults = ["<|startoftext|>", "<|endoftext|>", "<|endoftext|>", "<|endoftext|>"]
    var found: [Int] = []
    for (role, standard) in zip(TokenizerFolder.roles, defaults) {
      var given = files.config[role] ?? .null
      if role == "pad_token", let padding { given = .string(padding) }
      let content = given.isNull ? standard : TokenizerFolder.content(given)
      let token = listed[content].map(JSON.object) ?? (given.isNull ? .string(standard) : given)
      guard let id = special.add(token, id: nil) else {
        let name = TokenizerFolder.content(token) ?? token.excerpt
        throw JSONError(
          path: files.path(TokenizerFolder.config),
          sentence: "\"\(role)\" is \"\(name)\", which the vocabulary lacks.")
      }
      found.append(id)
    }
    let others = ["additional_special_tokens", "extra_special_tokens"].compactMap {
      files.config[$0]?.array
    }
    for token in others.joined() { _ = special.add(token, id: nil) }
    self.init(
      pairs: pairs, specialTokens: special.tokens, begin: found[0], end: found[1], pad: found[3],
      unknown: found[2], windowLength: try files.windowLength())
  }

  /// Writes `vocab.json`, `merges.txt`, `tokenizer_config.json` and `special_tokens_map.json` into a
  /// folder that exists, as transformers opens them. Throws `FileError` when the disk refuses.
  public func save(to folder: String) throws {
    let tokens = pairs.ids.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    let vocabulary = JSONObject(tokens.map { ($0.key, JSON.int($0.value)) })
    try JSON.object(vocabulary).write(to: "\(folder)/\(TokenizerFolder.vocabulary)")
    let lines = pairs.merges.map { "\($0) \($1)\n" }.joined()
    try AtomicFile.write("#version: 0.2\n\(lines)", to: "\(folder)/\(TokenizerFolder.merges)")
    var config: JSON = ["tokenizer_class": "CLIPTokenizer", "model_max_length": .int(windowLength)]
    var map: JSON = [:]
    let named = [beginID, endID, unknownID, padID]
    for (role, id) in zip(TokenizerFolder.roles, named) {
      guard let token = specialTokens.first(where: { $0.id == id }) else { continue }
      map[role] = token.flags
      config[role] = token.typedFlags
    }
    let others = specialTokens.filter { !named.contains($0.id) }
    if !others.isEmpty {
      map["additional_special_tokens"] = .array(others.map(\.typedFlags))
      config["additional_special_tokens"] = map["additional_special_tokens"]
      let ids = JSONObject(others.map { ($0.content, JSON.int($0.id)) })
      try JSON.object(ids).write(to: "\(folder)/\(TokenizerFolder.addedTokens)")
    }
    try config.write(to: "\(folder)/\(TokenizerFolder.config)")
    try map.write(to: "\(folder)/\(TokenizerFolder.map)")
  }
}

/// Special tokens as they are added one after the other.
private struct SpecialTokenList {
  private(set) var tokens: [SpecialToken] = []
  private let ids: [String: Int]

  init(ids: [String: Int]) { self.ids = ids }

  /// Adds a token given as a text or as an object of flags; the id, or `nil` where there is none.
  mutating func add(_ token: JSON, id given: Int?) -> Int? {
    guard let content = TokenizerFolder.content(token) else { return nil }
    let old = tokens.firstIndex { $0.content == content }
    guard let id = ids[content] ?? old.map({ tokens[$0].id }) ?? given,
      (0..<BytePairs.idLimit).contains(id)
    else { return nil }
    // A text alone is special; flags that say nothing about cleaning mean it for tokens that are not.
    let isSpecial = token.string != nil || token["special"]?.bool ?? false
    let added = SpecialToken(
      content: content, id: id, isNormalized: token["normalized"]?.bool ?? !isSpecial,
      isSingleWord: token["single_word"]?.bool ?? false)
    if let old { tokens[old] = added } else { tokens.append(added) }
    return id
  }
}

extension SpecialToken {
  fileprivate var flags: JSON {
    [
      "content": .string(content), "lstrip": false, "normalized": .bool(isNormalized),
      "rstrip": false, "single_word": .bool(isSingleWord),
    ]
  }

  /// With the type that transformers looks for in `tokenizer_config.json`.
  fileprivate var typedFlags: JSON {
    var flags = flags
    flags["__type"] = "AddedToken"
    return flags
  }
}
