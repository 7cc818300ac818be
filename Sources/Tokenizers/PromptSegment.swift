/// A stretch of a prompt with the weight that its tokens get.
public struct PromptSegment: Sendable, Equatable {
  /// The text, without the signs that weigh it.
  public var text: String
  /// 1 where the prompt says nothing.
  public var weight: Double

  /// A stretch of text with a weight.
  public init(text: String, weight: Double) {
    self.text = text
    self.weight = weight
  }
}

/// Prompts whose words are weighed with brackets, as the popular interfaces have them.
///
/// `(word)` multiplies the weight of what it holds by 1.1, `[word]` divides it by 1.1 and
/// `(word:1.3)` multiplies it by 1.3; all of them nest. `\(`, `\)`, `\[`, `\]` and `\\` stand for the
/// signs themselves. Whatever does not fit this, such as a bracket without its partner, is text.
public enum PromptWeights {
  /// What a bracket multiplies or divides by.
  public static let step = 1.1
  /// Weights stay within ± this.
  public static let limit = 100.0

  /// The segments of a prompt, neighbours of one weight joined; none for a prompt without text.
  public static func segments(of prompt: String) -> [PromptSegment] {
    let scalars = Array(prompt.unicodeScalars)
    let groups = groups(in: scalars)
    var segments: [PromptSegment] = []
    var weights = [1.0]
    var text = String.UnicodeScalarView()

    func finish() {
      guard !text.isEmpty, let weight = weights.last else { return }
      if segments.last?.weight == weight {
        segments[segments.count - 1].text.unicodeScalars.append(contentsOf: text)
      } else {
        segments.append(PromptSegment(text: String(text), weight: weight))
      }
      text = String.UnicodeScalarView()
    }

    var place = 0
    while place < scalars.count {
      if let factor = groups.factors[place] {
        finish()
        weights.append(min(max((weights.last ?? 1) * factor, -limit), limit))
      } else if let next = groups.ends[place] {
        finish()
        weights.removeLast()
        place = next
        continue
      } else if isEscape(place, in: scalars) {
        place += 1
        text.append(scalars[place])
      } else {
        text.append(scalars[place])
      }
      place += 1
    }
    finish()
    return segments
  }

  /// The brackets that have a partner: what an opening one multiplies by, and where a group's end
  /// (its `:number`, if any, and its closing bracket) begins and what follows it.
  private struct Groups {
    var factors: [Int: Double] = [:]
    var ends: [Int: Int] = [:]
  }

  private static func groups(in scalars: [Unicode.Scalar]) -> Groups {
    var groups = Groups()
    var open: [Int] = []
    var place = 0
    while place < scalars.count {
      switch scalars[place] {
      case "\\" where isEscape(place, in: scalars): place += 1
      case "(", "[": open.append(place)
      case ")":
        guard let start = open.last, scalars[start] == "(" else { break }
        open.removeLast()
        if let (colon, number) = number(before: place, in: scalars) {
          groups.factors[start] = number
          groups.ends[colon] = place + 1
        } else {
          groups.factors[start] = step
          groups.ends[place] = place + 1
        }
      case "]":
        guard let start = open.last, scalars[start] == "[" else { break }
        open.removeLast()
        groups.factors[start] = 1 / step
        groups.ends[place] = place + 1
      default: break
      }
      place += 1
    }
    return groups
  }

  private static func isEscape(_ place: Int, in scalars: [Unicode.Scalar]) -> Bool {
    scalars[place] == "\\" && place + 1 < scalars.count
      && ["(", ")", "[", "]", "\\"].contains(scalars[place + 1])
  }

  /// The `:number` that ends at a closing bracket: where its colon is, and the number.
  private static func number(
    before end: Int, in scalars: [Unicode.Scalar]
  ) -> (colon: Int, number: Double)? {
    var place = end - 1
    while place >= 0, "0123456789.+- ".unicodeScalars.contains(scalars[place]) { place -= 1 }
    guard place >= 0, scalars[place] == ":" else { return nil }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[(place + 1)..<end].drop { $0 == " " })
    while text.last == " " { text.removeLast() }
    guard let number = Double(String(text)), abs(number) <= limit else { return nil }
    return (place, number)
  }
}
