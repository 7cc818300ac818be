/// Words beside the points of a plot, each where it covers no point, no curve, no other words and no
/// edge, as long as there is such a place.
struct PointLabels {
  /// The radius of a point with words.
  static let radius = 4.5

  private struct Box {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    func overlaps(_ other: Box) -> Bool {
      x < other.x + other.width && other.x < x + width && y < other.y + other.height
        && other.y < y + height
    }

    func contains(_ other: Box) -> Bool {
      x <= other.x && other.x + other.width <= x + width && y <= other.y
        && other.y + other.height <= y + height
    }
  }

  private static let style = TextStyle(size: 14)
  private let area: Box
  private var entries: [(label: String, place: Point)] = []
  private var curves: [Box] = []

  /// Words within a plot's data area.
  init(_ frame: PlotFrame) {
    area = Box(
      x: Double(frame.left), y: Double(frame.top), width: Double(frame.width),
      height: Double(frame.height))
  }

  /// Adds the words of a point.
  mutating func add(_ label: String, at place: Point) { entries.append((label, place)) }

  /// Keeps words off the line through some points.
  mutating func avoid(_ line: [Point]) {
    for (a, b) in zip(line, line.dropFirst()) {
      let pieces = max(1, Int(max(abs(b.x - a.x), abs(b.y - a.y)) / 4))
      curves += (0...pieces).map { piece in
        let t = Double(piece) / Double(pieces)
        return Box(
          x: a.x + t * (b.x - a.x) - 2, y: a.y + t * (b.y - a.y) - 2, width: 4, height: 4)
      }
    }
  }

  /// Writes all words.
  func draw(on canvas: inout Canvas) {
    let radius = Self.radius
    var taken = entries.map {
      Box(
        x: $0.place.x - radius, y: $0.place.y - radius, width: 2 * radius, height: 2 * radius)
    }
    for (label, place) in entries where !label.isEmpty {
      let text = Self.style.fitted(label, to: area.width / 3)
      let (width, height) = (Self.style.width(of: text), Self.style.size)
      let gap = radius + 5
      let (left, middle) = (place.x - width / 2, place.y - height / 2)
      let (above, below) = (place.y - gap - height, place.y + gap)
      // Right, above, below, left, then the corners.
      let corners = [
        (place.x + gap, middle), (left, above), (left, below), (place.x - gap - width, middle),
        (place.x + gap, above), (place.x + gap, below), (place.x - gap - width, above),
        (place.x - gap - width, below),
      ]
      let boxes = corners.map { Box(x: $0.0, y: $0.1, width: width, height: height) }
      let inside = boxes.filter(area.contains)
      let apart = inside.filter { box in !taken.contains(where: box.overlaps) }
      let free = apart.first { box in !curves.contains(where: box.overlaps) }
      guard let box = free ?? apart.first ?? inside.first ?? boxes.first else { continue }
      taken.append(box)
      canvas.text(text, at: Point(x: box.x, y: box.y + height - 3), style: Self.style)
    }
  }
}
