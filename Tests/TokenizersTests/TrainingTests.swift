import Foundation
import Interchange
import Testing

@testable import Tokenizers

/// A tokenizer trained here against a plain rendering of the algorithm in Python, and ids against
/// transformers opening the same folder.
@Suite struct TrainingTests {
  private func captions() throws -> [String] {
    try #require(try Golden.json("trained.json")["captions"]?.array).compactMap(\.string)
  }

  @Test func mergesAndIdsEqualTheReference() throws {
    let tokenizer = try CLIPTokenizer.trained(on: captions(), vocabularySize: 600)
    try withScratch { folder in
      try tokenizer.save(to: folder)
      let golden = "\(Golden.folder)/trained"
      #expect(
        try String(contentsOfFile: "\(folder)/merges.txt", encoding: .utf8)
          == String(contentsOfFile: "\(golden)/merges.txt", encoding: .utf8))
      #expect(
        try JSON(contentsOfFile: "\(folder)/vocab.json")
          == JSON(contentsOfFile: "\(golden)/vocab.json"))
      let again = try CLIPTokenizer(folder: folder)
      for entry in try #require(try Golden.json("trained.json")["cases"]?.array) {
        let text = try #require(entry["text"]?.string)
        let ids = try #require(entry["ids"]?.array).compactMap(\.int)
        #expect(tokenizer.ids(of: text) == ids, "\(text)")
        #expect(again.ids(of: text) == ids, "\(text)")
      }
    }
    #expect(tokenizer.vocabularySize == 600 && tokenizer.endID == 599 && tokenizer.beginID == 598)
  }

  @Test func theSameCaptionsGiveTheSameTokenizer() throws {
    let captions = try captions()
    let one = try CLIPTokenizer.trained(on: captions, vocabularySize: 5000)
    let other = try CLIPTokenizer.trained(on: captions.reversed(), vocabularySize: 5000)
    #expect(one.pairs.ids == other.pairs.ids)
    #expect(one.pairs.merges.map { "\($0)" } == other.pairs.merges.map { "\($0)" })
    // No pair is left that occurs twice.
    #expect(one.vocabularySize > 600 && one.vocabularySize < 1000)
    #expect(one.ids(of: "고양이").count == 1 && one.ids(of: "Cat").count == 1)
  }

  /// Whatever was not in the captions still comes back whole.
  @Test func everyTextHasTokens() throws {
    let tokenizer = try CLIPTokenizer.trained(on: ["a"], vocabularySize: 514)
    #expect(tokenizer.vocabularySize == 514)
    #expect(tokenizer.text(of: tokenizer.ids(of: "드래곤 🐉 x")) == "드래곤 🐉 x")
    #expect(tokenizer.ids(of: "🐉").count == 4)
  }

  @Test func whatCannotBeTrainedIsExplained() throws {
    #expect {
      try CLIPTokenizer.trained(on: ["a"], vocabularySize: 513)
    } throws: {
      "\($0)" == "a vocabulary of 513 tokens cannot be trained; choose a size in 514...16777216."
    }
    #expect(throws: TokenizerTrainingError.self) {
      try CLIPTokenizer.trained(on: ["", " \n"], vocabularySize: 600)
    }
  }

  @Test func oddCaptionsAreNoTrouble() throws {
    let odd = ["<|endoftext|> x", String(repeating: "ab", count: 10_000), "\0\0", "\u{301}\u{301}"]
    let tokenizer = try CLIPTokenizer.trained(
      on: odd + [String](repeating: "abcabc bcabca aaaaaaa ababab", count: 3), vocabularySize: 600)
    #expect(tokenizer.text(of: tokenizer.ids(of: "abcabc aaaa")) == "abcabc aaaa")
    #expect(tokenizer.ids(of: "<|endoftext|>") == [tokenizer.endID])
  }
}
