import Foundation

/// How densely points lie in the plane, at every pixel of a square.
///
/// A kernel density estimate: every point is shared among the four pixels around it and then spread
/// by a round Gaussian. 1 is the density of as many points spread evenly over the square, so values
/// depend neither on the number of points nor on the size of the picture.
struct PlanarDensity {
  /// The pixels of a side.
  let side: Int
  /// The densities, rows from top to bottom; y grows upwards.
  private(set) var values: [Double]

  /// The density within ±`extent` of the origin.
  ///
  /// Points outside are not seen but count as points, so what is left of a cloud that drifts away is
  /// faint. Points that are not finite lie nowhere, which is outside.
  ///
  /// - Parameter spread: The standard deviation of the Gaussian, in pixels.
  init(of points: [(x: Double, y: Double)], extent: Double, side: Int, spread: Double) {
    self.side = side
    values = [Double](repeating: 0, count: side * side)
    guard !points.isEmpty else { return }
    let share = Double(side * side) / Double(points.count)
    let scale = Double(side) / (2 * extent)
    for point in points where abs(point.x) <= extent && abs(point.y) <= extent {
      // Pixel centres are at halves.
      add(share, column: (extent + point.x) * scale - 0.5, row: (extent - point.y) * scale - 0.5)
    }
    let kernel = PlanarDensity.gaussian(spread)
    blur(kernel, along: 1, across: side)
    blur(kernel, along: side, across: 1)
  }

  private mutating func add(_ weight: Double, column: Double, row: Double) {
    let (left, top) = (column.rounded(.down), row.rounded(.down))
    let (right, below) = (column - left, row - top)
    for (y, ofRow) in [(Int(top), 1 - below), (Int(top) + 1, below)] where 0..<side ~= y {
      for (x, ofColumn) in [(Int(left), 1 - right), (Int(left) + 1, right)] where 0..<side ~= x {
        values[y * side + x] += weight * ofRow * ofColumn
      }
    }
  }

  /// Convolves every line of pixels that are `step` apart; the lines are `stride` apart.
  private mutating func blur(_ kernel: [Double], along step: Int, across stride: Int) {
    let reach = kernel.count - 1
    var line = [Double](repeating: 0, count: side)
    for start in 0..<side {
      var isEmpty = true
      for index in 0..<side {
        line[index] = values[start * stride + index * step]
        if line[index] != 0 { isEmpty = false }
      }
      if isEmpty { continue }
      for index in 0..<side {
        var sum = 0.0
        for other in max(0, index - reach)...min(side - 1, index + reach) {
          sum += line[other] * kernel[abs(other - index)]
        }
        values[start * stride + index * step] = sum
      }
    }
  }

  /// The weights of a Gaussian from its middle outwards, up to five standard deviations: on a
  /// logarithmic scale an edge nearer than that shows.
  private static func gaussian(_ spread: Double) -> [Double] {
    let half = (0...max(1, Int((5 * spread).rounded(.up)))).map { distance in
      exp(-Double(distance * distance) / (2 * spread * spread))
    }
    let sum = 2 * half.reduce(0, +) - half[0]
    return half.map { $0 / sum }
  }
}
