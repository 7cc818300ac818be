/// The outlines that the set `shapes` draws.
enum ShapeKind: String, CaseIterable {
  case circle, square, triangle, star, ring, cross, heart, diamond

  /// The signed distance of a point to the outline, negative inside; the shapes fill about the disc
  /// of radius 1, y points up. Only + − × ÷ and √ are used, so that every platform draws the same.
  ///
  /// The formulas are the usual ones of distance-field graphics (I. Quilez, "2D distance functions").
  func distance(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .circle: length(x, y) - 0.9
    case .ring: abs(length(x, y) - 0.72) - 0.22
    case .square: box(x, y, 0.78, 0.78)
    case .cross: min(box(x, y, 0.95, 0.3), box(x, y, 0.3, 0.95))
    case .diamond:
      // A rhombus with half axes 0.62 and 1: |x| / 0.62 + |y| = 1.
      (abs(x) / 0.62 + abs(y) - 1) * 0.527
    case .triangle:
      // The largest of the distances to three lines: exact but for the corners outside.
      max(-y - 0.5, 0.5 * y + 0.8660254037844386 * abs(x) - 0.5)
    case .star: star(abs(x), y)
    case .heart: heart(abs(x) / 1.45, y / 1.45 + 0.55) * 1.45
    }
  }

  private func length(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }

  private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> Double {
    let (dx, dy) = (abs(x) - width, abs(y) - height)
    return length(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0)
  }

  /// Five points of radius 1: folded about the symmetry axes onto one edge.
  private func star(_ startX: Double, _ startY: Double) -> Double {
    let (kx, ky) = (0.809016994375, -0.587785252292)
    var (x, y) = (startX, startY)
    var fold = 2 * max(kx * x + ky * y, 0)
    (x, y) = (x - fold * kx, y - fold * ky)
    fold = 2 * max(-kx * x + ky * y, 0)
    (x, y) = (abs(x + fold * kx), y - fold * ky - 1)
    // The edge runs from the point inwards; 0.45 is the inner radius's share.
    let (edgeX, edgeY) = (-ky * 0.45, kx * 0.45 - 1)
    let along = min(max((x * edgeX + y * edgeY) / (edgeX * edgeX + edgeY * edgeY), 0), 1)
    let distance = length(x - edgeX * along, y - edgeY * along)
    return y * edgeX - x * edgeY < 0 ? -distance : distance
  }

  private func heart(_ x: Double, _ y: Double) -> Double {
    if x + y > 1 { return length(x - 0.25, y - 0.75) - 0.3535533905932738 }
    let m = 0.5 * max(x + y, 0)
    let distance = min(length(x, y - 1), length(x - m, y - m))
    return x < y ? -distance : distance
  }
}
