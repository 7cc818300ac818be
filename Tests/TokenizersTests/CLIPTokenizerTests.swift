import Interchange
import Testing

@testable import Tokenizers

/// Ids against `CLIPTokenizer` of transformers, with the first 6,000 of CLIP's merges.
@Suite struct CLIPTokenizerTests {
  /// Folders as published for Stable Diffusion 1, 2 and XL, and others.
  static let folders = ["sd1", "sd2", "xl2", "bare", "added"]

  @Test(arguments: folders)
  func idsEqualTransformers(_ folder: String) throws {
    let tokenizer = try Golden.tokenizer(folder)
    let cases = try #require(try Golden.json("cases.json").array)
    #expect(cases.count > 200)
    var wrong: [String] = []
    for entry in cases {
      let text = try #require(entry["text"]?.string)
      let golden = try #require(entry["ids"]?[folder]?.array).compactMap(\.int)
      if tokenizer.ids(of: text) != golden { wrong.append(text.debugDescription) }
    }
    #expect(wrong.isEmpty)
  }

  @Test func specialTokensDifferFromFolderToFolder() throws {
    #expect(try Golden.tokenizer("sd1").padID == Golden.tokenizer("sd1").endID)
    #expect(try Golden.tokenizer("sd2").padID == 0)
    #expect(try Golden.tokenizer("xl2").padID == 0)
    let (sd1, sd2) = (try Golden.tokenizer("sd1"), try Golden.tokenizer("sd2"))
    // Where `!` pads, transformers finds it as padding inside of words too.
    #expect(sd1.ids(of: "cat!").last == 256)
    #expect(sd2.ids(of: "cat!").last == 0)
    #expect(sd1.vocabularySize == 6514 && sd1.windowLength == 77)
    #expect(try Golden.tokenizer("added").vocabularySize == 6516)
  }

  @Test func windowsBeginEndAndPad() throws {
    let tokenizer = try Golden.tokenizer("sd2")
    let window = tokenizer.window(of: "a cat")
    let ids = tokenizer.ids(of: "a cat")
    #expect(
      window.ids == [tokenizer.beginID] + ids + [tokenizer.endID]
        + Array(repeating: 0, count: 75 - ids.count))
    #expect(window.ids.count == 77 && window.tokenCount == ids.count + 2 && window.cut == nil)
    #expect(window.weights == Array(repeating: 1, count: 77))
    let empty = tokenizer.window(of: "")
    #expect(empty.tokenCount == 2 && empty.ids.count == 77 && empty.cut == nil)
  }

  @Test func whatIsCutIsReported() throws {
    let tokenizer = try Golden.tokenizer("sd1")
    let text = String(repeating: "cat ", count: 75) + "a photo of THE dog"
    let window = tokenizer.window(of: text)
    #expect(window.ids.count == 77 && window.ids.last == tokenizer.endID && window.tokenCount == 77)
    let rest = tokenizer.ids(of: "a photo of the dog")
    #expect(window.cut == CutText(tokenCount: rest.count, text: "a photo of the dog"))
    let all = tokenizer.windows(of: [PromptSegment(text: text, weight: 1)])
    #expect(all.count == 2 && all[1].ids.dropFirst().prefix(rest.count) == rest[...])
    #expect(all.allSatisfy { $0.cut == nil && $0.ids.count == 77 })
    #expect(tokenizer.windows(of: []).map(\.tokenCount) == [2])
  }

  @Test func weightsGoWithTheirTokens() throws {
    let tokenizer = try Golden.tokenizer("sd1")
    let window = tokenizer.window(of: PromptWeights.segments(of: "a (red:1.5) cat"))
    #expect(window.ids == tokenizer.window(of: "a red cat").ids)
    #expect(window.weights.prefix(5) == [1, 1, 1.5, 1, 1])
  }

  @Test func idsBecomeTextAgain() throws {
    let tokenizer = try Golden.tokenizer("sd1")
    for text in ["a photo of a cat , 4 k", "고양이 사진", "👩‍🚀 x"] {
      #expect(tokenizer.text(of: tokenizer.ids(of: text)) == text)
    }
    #expect(tokenizer.text(of: [-1, 1 << 40, tokenizer.endID]) == "<|endoftext|>")
  }

  @Test func tokenizerJSONIsRead() throws {
    let tokenizer = try CLIPTokenizer(folder: "\(Golden.folder)/whole")
    for entry in try #require(try Golden.json("whole.json").array) {
      let ids = tokenizer.ids(of: try #require(entry["text"]?.string))
      let golden = try #require(entry["ids"]?.array).compactMap(\.int)
      #expect([tokenizer.beginID] + ids + [tokenizer.endID] == golden)
    }
    #expect(tokenizer.padID == 0)
  }

  @Test(arguments: folders)
  func savedFoldersOpenAgain(_ folder: String) throws {
    let tokenizer = try Golden.tokenizer(folder)
    try withScratch { scratch in
      try tokenizer.save(to: scratch)
      let again = try CLIPTokenizer(folder: scratch)
      #expect(
        again.specialTokens.sorted { $0.id < $1.id }
          == tokenizer.specialTokens.sorted { $0.id < $1.id })
      #expect(again.padID == tokenizer.padID && again.endID == tokenizer.endID)
      for text in ["a cat! <CAT-TOY>", "x<|ENDOFTEXT|>!!", "<cat-toy> Two Words"] {
        #expect(again.ids(of: text) == tokenizer.ids(of: text))
      }
    }
  }

  /// Ten thousand words, and one word as long: both in far less time than n² would take.
  @Test func longTextsTakeLinearTime() throws {
    let tokenizer = try Golden.tokenizer("sd1")
    let clock = ContinuousClock()
    let words = (0..<10_000).map { ["cat", "beautiful", "고양이", "😀"][$0 % 4] }
    let spaced = clock.measure {
      #expect(tokenizer.ids(of: words.joined(separator: " ")).count > 10_000)
    }
    let joined = clock.measure {
      #expect(!tokenizer.ids(of: String(repeating: "abc", count: 30_000)).isEmpty)
    }
    #expect(spaced < .seconds(20) && joined < .seconds(20), "debug builds on a busy machine")
    let marks = String(repeating: "\u{301}\u{323}", count: 20_000)
    #expect(clock.measure { _ = tokenizer.ids(of: "x" + marks) } < .seconds(20))
  }
}
