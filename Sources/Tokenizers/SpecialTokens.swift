/// A token that is found in a text as a whole, before words are cut.
public struct SpecialToken: Sendable, Equatable {
  /// What the text has to hold.
  public let content: String
  /// Its id.
  public let id: Int
  /// Whether it is looked for in the cleaned (lower-case) text rather than in the text as given.
  public let isNormalized: Bool
  /// Whether it counts only where no letter, digit or underscore touches it.
  public let isSingleWord: Bool
}

/// Finds special tokens: of several at one place the longest.
struct SpecialTokenFinder: Sendable {
  private var byFirst: [Unicode.Scalar: [(scalars: [Unicode.Scalar], token: SpecialToken)]] = [:]

  /// Looks for `tokens`, in the cleaned text if they are.
  init(_ tokens: [SpecialToken]) {
    for token in tokens {
      let given = Array(token.content.unicodeScalars)
      let scalars = token.isNormalized ? WordScanner.cleaned(given) : given
      guard let first = scalars.first else { continue }
      byFirst[first, default: []].append((scalars, token))
    }
    for first in byFirst.keys { byFirst[first]?.sort { $0.scalars.count > $1.scalars.count } }
  }

  /// Calls `plain` with what lies between special tokens, never empty, and `special` with those.
  func split(
    _ text: [Unicode.Scalar], plain: (ArraySlice<Unicode.Scalar>) -> Void,
    special: (SpecialToken) -> Void
  ) {
    var (start, position) = (0, 0)
    while position < text.count {
      guard
        let match = byFirst[text[position]]?.first(where: {
          text[position...].starts(with: $0.scalars)
        })
      else {
        position += 1
        continue
      }
      let end = position + match.scalars.count
      if !match.token.isSingleWord || isAlone(position..<end, in: text) {
        if start < position { plain(text[start..<position]) }
        special(match.token)
        start = end
      }
      position = end
    }
    if start < text.count { plain(text[start...]) }
  }

  private func isAlone(_ range: Range<Int>, in text: [Unicode.Scalar]) -> Bool {
    func isWord(_ scalar: Unicode.Scalar) -> Bool {
      scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
    return !(range.lowerBound > 0 && isWord(text[range.lowerBound - 1]))
      && !(range.upperBound < text.count && isWord(text[range.upperBound]))
  }
}
