import Foundation

/// A piece of an HTML page, written as well-formed XML too, with every text escaped.
indirect enum Markup: ExpressibleByStringLiteral {
  /// Words.
  case text(String)
  /// An element with its attributes and what is in it.
  case element(String, [(name: String, value: String)], [Markup])
  /// A style sheet, which is written as it is.
  case style(String)

  init(stringLiteral value: String) { self = .text(value) }

  /// An element.
  static func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: Markup...
  ) -> Markup {
    tag(name, attributes, content)
  }

  /// An element.
  static func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: [Markup]
  ) -> Markup {
    .element(name, attributes.map { ($0.key, $0.value) }, content)
  }

  /// A picture inside of the page.
  static func picture(
    _ png: [UInt8], alt: String, _ attributes: KeyValuePairs<String, String> = [:]
  ) -> Markup {
    .element(
      "img",
      [("src", "data:image/png;base64,\(Data(png).base64EncodedString())"), ("alt", alt)]
        + attributes.map { ($0.key, $0.value) }, [])
  }

  /// The piece as a browser reads it.
  var rendered: String {
    switch self {
    case .text(let words): return Self.escaped(words)
    case .style(let sheet): return "<style>\n\(sheet)\n</style>\n"
    case .element(let name, let attributes, let content):
      let opening =
        "<\(name)" + attributes.map { " \($0.name)=\"\(Self.escaped($0.value))\"" }.joined()
      if Self.void.contains(name) { return "\(opening)/>" }
      let line = Self.inline.contains(name) ? "" : "\n"
      return "\(opening)>" + content.map(\.rendered).joined() + "</\(name)>\(line)"
    }
  }

  /// Words in which nothing is markup. Control characters, which XML has no place for, are boxes.
  static func escaped(_ words: String) -> String {
    String(
      String.UnicodeScalarView(
        words.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
          switch scalar {
          case "&": Array("&amp;".unicodeScalars)
          case "<": Array("&lt;".unicodeScalars)
          case ">": Array("&gt;".unicodeScalars)
          case "\"": Array("&quot;".unicodeScalars)
          case "'": Array("&#39;".unicodeScalars)
          case "\n", "\t": [scalar]
          case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}"..."\u{FFFF}": ["\u{FFFD}"]
          default: [scalar]
          }
        }))
  }

  private static let void: Set = ["img", "meta"]
  private static let inline: Set = ["a", "b", "code", "span", "strong", "td", "th"]
}
