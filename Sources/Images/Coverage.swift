/// How much of each pixel a shape covers, over the shape's bounding box.
///
/// A stroke is the set of points within half its width of a segment. A pixel's coverage comes from
/// the distance of its centre, and parts of one shape join by maximum, so that joints do not show.
struct Coverage {
  let left: Int
  let top: Int
  let width: Int
  let height: Int
  private(set) var values: [Float]

  /// The empty coverage of the box around `points`, widened by `margin` and cut to the canvas.
  init?(around points: [Point], margin: Double, canvasWidth: Int, canvasHeight: Int) {
    guard let first = points.first, points.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else {
      return nil
    }
    var low = first
    var high = first
    for point in points {
      low = Point(x: min(low.x, point.x), y: min(low.y, point.y))
      high = Point(x: max(high.x, point.x), y: max(high.y, point.y))
    }
    func cut(_ value: Double, _ limit: Int) -> Int { Int(min(max(value, 0), Double(limit))) }
    left = cut((low.x - margin - 1).rounded(.down), canvasWidth)
    top = cut((low.y - margin - 1).rounded(.down), canvasHeight)
    width = cut((high.x + margin + 2).rounded(.up), canvasWidth) - left
    height = cut((high.y + margin + 2).rounded(.up), canvasHeight) - top
    guard width > 0, height > 0 else { return nil }
    values = [Float](repeating: 0, count: width * height)
  }

  /// Adds the stroke from `a` to `b`, with round ends.
  mutating func addStroke(from a: Point, to b: Point, width lineWidth: Double) {
    let reach = lineWidth / 2 + 1
    let columns = range(min(a.x, b.x) - reach, max(a.x, b.x) + reach, left, width)
    let rows = range(min(a.y, b.y) - reach, max(a.y, b.y) + reach, top, height)
    let dx = b.x - a.x
    let dy = b.y - a.y
    let squared = dx * dx + dy * dy
    for row in rows {
      let y = Double(row + top) + 0.5 - a.y
      for column in columns {
        let x = Double(column + left) + 0.5 - a.x
        let along = squared > 0 ? min(max((x * dx + y * dy) / squared, 0), 1) : 0
        let awayX = x - along * dx
        let awayY = y - along * dy
        add((awayX * awayX + awayY * awayY).squareRoot(), lineWidth / 2, row * width + column)
      }
    }
  }

  /// Adds a disc.
  mutating func addDisc(centre: Point, radius: Double) {
    addStroke(from: centre, to: centre, width: 2 * radius)
  }

  private mutating func add(_ distance: Double, _ half: Double, _ index: Int) {
    // A line thinner than a pixel is faint rather than broken.
    let covered = min(max(half + 0.5 - distance, 0), 1, 2 * half)
    if covered > 0 { values[index] = max(values[index], Float(covered)) }
  }

  private func range(_ low: Double, _ high: Double, _ start: Int, _ count: Int) -> Range<Int> {
    let from = Int(min(max(low.rounded(.down) - Double(start), 0), Double(count)))
    let to = Int(min(max(high.rounded(.up) - Double(start), 0), Double(count)))
    return from..<max(from, to)
  }
}
