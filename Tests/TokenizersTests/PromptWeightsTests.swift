import Testing

@testable import Tokenizers

@Suite struct PromptWeightsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let prompt: String
    let segments: [PromptSegment]
    var testDescription: String { prompt }

    init(_ prompt: String, _ segments: (String, Double)...) {
      self.prompt = prompt
      self.segments = segments.map { PromptSegment(text: $0.0, weight: $0.1) }
    }
  }

  static let cases = [
    Case("a cat", ("a cat", 1)), Case(""), Case("()"), Case("(:1.3)"), Case("([])"),
    Case("a (cat) b", ("a ", 1), ("cat", 1.1), (" b", 1)),
    Case("[cat]", ("cat", 1 / 1.1)),
    Case("(cat:1.3)", ("cat", 1.3)), Case("(cat: 1.3 )", ("cat", 1.3)),
    Case("(cat:.5)", ("cat", 0.5)), Case("(cat:-1)", ("cat", -1)), Case("(cat:0)", ("cat", 0)),
    Case("((cat))", ("cat", 1.1 * 1.1)), Case("([cat])", ("cat", 1.1 * (1 / 1.1))),
    Case("(a (b:2) c:1.5)", ("a ", 1.5), ("b", 3), (" c", 1.5)),
    Case("(고양이:1.2) 😀", ("고양이", 1.2), (" 😀", 1)),
    Case("(a)(b)", ("ab", 1.1)), Case("(a:1)b", ("ab", 1)),
    // Escapes.
    Case(#"\(a\) \[b\] \\ \n"#, (#"(a) [b] \ \n"#, 1)), Case(#"(a\))"#, ("a)", 1.1)),
    Case(#"(a\:1.3)"#, (#"a\"#, 1.3)), Case("a\\", ("a\\", 1)),
    // What fits no rule is text.
    Case("(a", ("(a", 1)), Case("a)", ("a)", 1)), Case("((a)", ("(", 1), ("a", 1.1)),
    Case("(a))", ("a", 1.1), (")", 1)), Case("[a", ("[a", 1)), Case("a]", ("a]", 1)),
    Case("([a)]", ("(", 1), ("a)", 1 / 1.1)),
    Case("(a:b)", ("a:b", 1.1)), Case("(a:)", ("a:", 1.1)), Case("(a:1.2.3)", ("a:1.2.3", 1.1)),
    Case("(a:1 2)", ("a:1 2", 1.1)), Case("(a:1e3)", ("a:1e3", 1.1)),
    Case("(a:1000)", ("a:1000", 1.1)), Case("[a:1.3]", ("a:1.3", 1 / 1.1)),
    Case("a:1.3", ("a:1.3", 1)), Case(":1.3)", (":1.3)", 1)),
    Case("(a:nan)", ("a:nan", 1.1)), Case("(a:inf)", ("a:inf", 1.1)),
    Case("(a:0x10)", ("a:0x10", 1.1)), Case("(:1.3:1.2)", (":1.3", 1.2)),
  ]

  @Test(arguments: cases)
  func segmentsFollowTheConvention(_ given: Case) {
    #expect(PromptWeights.segments(of: given.prompt) == given.segments)
  }

  @Test func nestingHasALimit() {
    let deep = String(repeating: "(", count: 20_000) + "a" + String(repeating: ")", count: 20_000)
    #expect(PromptWeights.segments(of: deep) == [PromptSegment(text: "a", weight: 100)])
    let open = String(repeating: "(", count: 20_000)
    #expect(PromptWeights.segments(of: open) == [PromptSegment(text: open, weight: 1)])
  }

  /// Nothing but the signs themselves is ever lost, and no weight is beyond the limit.
  @Test func anythingIsAPrompt() {
    var dice = Dice(state: 5)
    let signs = Array("()[]:\\.1-+ aé가😀\u{301}\0\n")
    for _ in 0..<3000 {
      let prompt = String(
        (0..<Int.random(in: 0...24, using: &dice)).map { _ in
          signs.randomElement(using: &dice)!
        })
      let segments = PromptWeights.segments(of: prompt)
      #expect(segments.allSatisfy { abs($0.weight) <= 100 && !$0.text.isEmpty })
      let letters = Set("aé가😀".unicodeScalars)
      let kept = segments.flatMap { $0.text.unicodeScalars.filter(letters.contains) }
      #expect(kept == prompt.unicodeScalars.filter(letters.contains))
      #expect(!zip(segments, segments.dropFirst()).contains { $0.weight == $1.weight })
    }
  }
}
