import Foundation

/// A letter's lines, flattened from the small path language of `StrokeGlyphs`.
///
/// `M x y` moves, `L x y` draws a line, `C x1 y1 x2 y2 x y` a cubic curve, `O cx cy rx ry` a whole
/// ellipse and `D x y` a dot. y points up from the baseline.
struct StrokePath {
  private(set) var lines: [[Point]] = []

  init(_ description: String) {
    var words = description.split(separator: " ")[...]
    func numbers(_ count: Int) -> [Double] {
      let taken = words.prefix(count).compactMap { Double($0) }
      precondition(taken.count == count, "a glyph's path is malformed: \(description)")
      words = words.dropFirst(count)
      return taken
    }
    while let command = words.popFirst() {
      switch command {
      case "M":
        let n = numbers(2)
        lines.append([Point(x: n[0], y: n[1])])
      case "L":
        let n = numbers(2)
        extend(with: [Point(x: n[0], y: n[1])])
      case "C":
        let n = numbers(6)
        curve(Point(x: n[0], y: n[1]), Point(x: n[2], y: n[3]), Point(x: n[4], y: n[5]))
      case "O":
        let n = numbers(4)
        lines.append(
          StrokePath.ellipse(
            centre: Point(x: n[0], y: n[1]), radiusX: n[2], radiusY: n[3], segments: 40))
      case "D":
        let n = numbers(2)
        lines.append([Point(x: n[0], y: n[1])])
      default:
        preconditionFailure("a glyph's path has the unknown command \(command)")
      }
    }
  }

  /// The closed polygon of an ellipse.
  static func ellipse(
    centre: Point, radiusX: Double, radiusY: Double, segments: Int
  ) -> [Point] {
    (0...segments).map { index in
      let angle = 2 * Double.pi * Double(index) / Double(segments)
      return Point(x: centre.x + radiusX * cos(angle), y: centre.y + radiusY * sin(angle))
    }
  }

  private mutating func extend(with points: [Point]) {
    precondition(!lines.isEmpty, "a glyph's path starts with M")
    lines[lines.count - 1] += points
  }

  private mutating func curve(_ b: Point, _ c: Point, _ d: Point) {
    guard let a = lines.last?.last else { preconditionFailure("a glyph's path starts with M") }
    let steps = 12
    extend(
      with: (1...steps).map { index in
        let t = Double(index) / Double(steps)
        let s = 1 - t
        let wa = s * s * s
        let wb = 3 * s * s * t
        let wc = 3 * s * t * t
        let wd = t * t * t
        return Point(
          x: wa * a.x + wb * b.x + wc * c.x + wd * d.x,
          y: wa * a.y + wb * b.y + wc * c.y + wd * d.y)
      })
  }
}
