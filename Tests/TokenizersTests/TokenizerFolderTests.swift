import Foundation
import Interchange
import Testing

@testable import Tokenizers

/// Folders that no tokenizer can be made of.
@Suite struct TokenizerFolderTests {
  struct Change: Sendable, CustomTestStringConvertible {
    let file: String
    let content: String
    let sentence: String
    var testDescription: String { sentence }
  }

  static let vocabulary = #"{"a":0,"b":1,"ab":2,"<|startoftext|>":3,"<|endoftext|>":4}"#

  static let changes = [
    Change(
      file: "vocab.json", content: "[]", sentence: "it must be an object of tokens with their ids."),
    Change(
      file: "vocab.json", content: #"{"a":"x"}"#,
      sentence: #"the token "a" has the id "x"; a whole number is expected."#),
    Change(
      file: "vocab.json", content: #"{"a":-1,"b":1,"ab":2,"<|endoftext|>":3}"#,
      sentence: #"the token "a" has the id -1; ids lie in 0..<16777216."#),
    Change(
      file: "tokenizer_config.json", content: #"{"bos_token":"<s>"}"#,
      sentence: #""bos_token" is "<s>", which the vocabulary lacks."#),
    Change(
      file: "merges.txt", content: "#version: 0.2\na b c\n",
      sentence: "line 2 is not two tokens with a space between them."),
    Change(
      file: "merges.txt", content: "a c\n",
      sentence:
        #"merge 1, "a c", needs the token "c", which the vocabulary lacks; take both files "#
        + "from the same place."),
    Change(
      file: "tokenizer.json", content: #"{"model":{"type":"Unigram"}}"#,
      sentence: #"it holds no byte-pair "model" with "vocab" and "merges"."#),
    Change(
      file: "tokenizer.json", content: #"{"model":{"vocab":{"a":0},"merges":["a"]}}"#,
      sentence: #"merge 1 is "a", not a pair of tokens."#),
    Change(
      file: "tokenizer_config.json", content: "3", sentence: "it is 3, not an object."),
    Change(
      file: "tokenizer_config.json", content: #"{"model_max_length":2}"#,
      sentence: #""model_max_length" is 2; it must be a number from 3 on."#),
    Change(
      file: "tokenizer_config.json", content: #"{"padding_side":"left"}"#,
      sentence: #""padding_side" is "left"; text encoders need "right"."#),
    Change(
      file: "tokenizer_config.json", content: #"{"added_tokens_decoder":{"x":{}}}"#,
      sentence: #""added_tokens_decoder" must list ids with an object each."#),
    Change(
      file: "added_tokens.json", content: #"{"x":[]}"#, sentence: "it must list texts with ids."),
  ]

  private func withTiny<R>(_ body: (String) throws -> R) throws -> R {
    try withScratch { folder in
      try AtomicFile.write(Self.vocabulary, to: "\(folder)/vocab.json")
      try AtomicFile.write("#version: 0.2\na b\n", to: "\(folder)/merges.txt")
      return try body(folder)
    }
  }

  @Test(arguments: changes)
  func badFilesAreExplained(_ change: Change) throws {
    try withTiny { folder in
      try AtomicFile.write(change.content, to: "\(folder)/\(change.file)")
      var found: (any ExplainedError)?
      do { _ = try CLIPTokenizer(folder: folder) } catch { found = error as? any ExplainedError }
      let error = try #require(found)
      #expect(error.sentence == change.sentence)
      #expect(error.path == "\(folder)/\(change.file)")
    }
  }

  @Test func missingFilesAreNamed() throws {
    try withScratch { folder in
      _ = #expect {
        try CLIPTokenizer(folder: folder)
      } throws: {
        ($0 as? any ExplainedError)?.path == "\(folder)/vocab.json"
      }
    }
  }

  /// A vocabulary without the bytes of a text gives the unknown token for each, as transformers does.
  @Test func bytesThatTheVocabularyLacksAreUnknown() throws {
    try withTiny { folder in
      let tokenizer = try CLIPTokenizer(folder: folder)
      // No token of this vocabulary ends a word.
      #expect(tokenizer.ids(of: "ab") == [0, 4])
      #expect(tokenizer.ids(of: "aba é") == [2, 4, 4, 4])
      #expect(tokenizer.window(of: "x").ids.count == 77)
    }
  }

  /// Cut short or with bytes changed, files are refused or make a tokenizer; nothing traps.
  @Test(arguments: ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"])
  func damagedFilesDoNotTrap(_ file: String) throws {
    try withScratch { folder in
      var captions: [String] = []
      for entry in try #require(try Golden.json("trained.json")["captions"]?.array) {
        captions.append(entry.string ?? "")
      }
      try CLIPTokenizer.trained(on: captions, vocabularySize: 560).save(to: folder)
      let path = "\(folder)/\(file)"
      let bytes = try MappedFile(path: path).withUnsafeBytes { Array($0) }
      var dice = Dice(state: 11)
      var (refused, opened) = (0, 0)
      for round in 0..<120 {
        var damaged = bytes
        if round.isMultiple(of: 2) {
          damaged = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &dice)))
        } else {
          for _ in 0..<3 {
            damaged[Int.random(in: 0..<bytes.count, using: &dice)] = .random(
              in: 0...255, using: &dice)
          }
        }
        try AtomicFile.write(damaged, to: path)
        do {
          let tokenizer = try CLIPTokenizer(folder: folder)
          _ = tokenizer.window(of: "a photo of 고양이 😀 <|endoftext|>!")
          opened += 1
        } catch {
          #expect(error is any ExplainedError)
          refused += 1
        }
      }
      #expect(refused > 10 && refused + opened == 120)
    }
  }

  @Test func randomTextDoesNotTrap() throws {
    let tokenizer = try Golden.tokenizer("xl2")
    var dice = Dice(state: 3)
    for _ in 0..<400 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...60, using: &dice) {
        if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &dice)) {
          text.append(scalar)
        }
      }
      let ids = tokenizer.ids(of: String(text))
      #expect(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains($0) })
      _ = tokenizer.text(of: ids)
    }
  }
}
