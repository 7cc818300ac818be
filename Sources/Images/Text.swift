/// How a line of text looks.
public struct TextStyle: Sendable, Equatable {
  /// How heavy the strokes are.
  public enum Weight: Sendable {
    /// For labels and notes.
    case regular
    /// For headings.
    case bold
  }

  /// The height of a line in pixels; capitals are 0.7 of it.
  public var size: Double
  /// How heavy the strokes are.
  public var weight: Weight
  /// The ink.
  public var colour: Colour

  /// Makes a style; `size` is in pixels.
  public init(size: Double = 14, weight: Weight = .regular, colour: Colour = .ink) {
    self.size = size
    self.weight = weight
    self.colour = colour
  }

  /// The length of a line of text, in pixels.
  public func width(of text: String) -> Double {
    let units = text.reduce(0) { $0 + StrokeGlyphs[$1].width + spacing }
    return max(units - spacing, 0) * unit + strokeWidth
  }

  /// The text, cut with an ellipsis where it is longer than `limit` pixels.
  public func fitted(_ text: String, to limit: Double) -> String {
    // A character takes more than the room after it, so only so many can fit.
    let most = Int(max(limit, 0) / (spacing * unit)) + 2
    var kept = text.prefix(most)
    if kept.endIndex == text.endIndex, width(of: text) <= limit { return text }
    while !kept.isEmpty, width(of: kept + "…") > limit { kept.removeLast() }
    return kept.trimmingSuffix(" ") + "…"
  }

  var unit: Double { size / 20 }

  /// The room between glyphs in font units; heavier strokes take some of it.
  fileprivate var spacing: Double { StrokeGlyphs.spacing + (weight == .bold ? 0.8 : 0) }

  var strokeWidth: Double {
    switch weight {
    case .regular: max(size * 0.092, 1)
    case .bold: max(size * 0.135, 1.4)
    }
  }

  private func width(of text: Substring) -> Double { width(of: String(text)) }
}

/// Where a text's anchor lies along it.
public enum TextAnchor: Sendable {
  /// At its beginning.
  case start
  /// In its middle.
  case middle
  /// At its end.
  case end

  fileprivate var fraction: Double {
    switch self {
    case .start: 0
    case .middle: 0.5
    case .end: 1
    }
  }
}

/// The direction of a line of text.
public enum TextDirection: Sendable {
  /// From left to right.
  case rightwards
  /// From bottom to top, for vertical axes.
  case upwards
}

extension Canvas {
  /// Draws one line of text with its baseline through a place.
  ///
  /// The font has printable ASCII, `α ᾱ β ε μ σ ² ∞ → × ± − – — · … ’`; anything else is a box.
  public mutating func text(
    _ text: String, at place: Point, style: TextStyle = TextStyle(),
    anchor: TextAnchor = .start, direction: TextDirection = .rightwards
  ) {
    let unit = style.unit
    let shift = -anchor.fraction * style.width(of: text) + style.strokeWidth / 2
    // The baseline goes through pixel centres, which keeps horizontal strokes sharp.
    let origin =
      switch direction {
      case .rightwards: Point(x: place.x, y: place.y.rounded(.down) + 0.5)
      case .upwards: Point(x: place.x.rounded(.down) + 0.5, y: place.y)
      }
    var pen = shift
    var lines: [[Point]] = []
    for character in text {
      let glyph = StrokeGlyphs[character]
      for line in glyph.path.lines {
        lines.append(
          line.map { point in
            let along = pen + point.x * unit
            return switch direction {
            case .rightwards: Point(x: origin.x + along, y: origin.y - point.y * unit)
            case .upwards: Point(x: origin.x - point.y * unit, y: origin.y - along)
            }
          })
      }
      pen += (glyph.width + style.spacing) * unit
    }
    strokes(lines, width: style.strokeWidth, colour: style.colour)
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var kept = self
    while kept.last == character { kept.removeLast() }
    return String(kept)
  }

  fileprivate static func + (text: Substring, more: String) -> Substring {
    Substring(String(text) + more)
  }
}
