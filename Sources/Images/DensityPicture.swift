import Foundation

/// A cloud of points in a square of the plane, as the density that it has everywhere: what a
/// generator makes of a toy set, with the places of the real points outlined.
///
/// Colours run along viridis by the logarithm of the density, from none to 512 times that of points
/// spread evenly over the square, and stay at yellow above it. The scale is the same in every
/// picture, so that pictures of one training compare and an animation does not flicker.
public struct DensityPicture: Sendable {
  /// The cloud; points outside the square are not drawn but count as points.
  public var points: [(x: Double, y: Double)]
  /// Half the side of the square, whose middle is the origin.
  public var extent: Double
  /// The side of the square in pixels.
  public var size: Int
  /// Other points, such as real ones: a thin line is drawn around where they are dense.
  public var marks: [(x: Double, y: Double)]
  /// The heading, in a band of 34 pixels above the square; without one there is no band.
  public var title: String?

  /// Makes a picture of points within ±`extent` of the origin.
  ///
  /// - Precondition: `extent` is a positive number and `size` is from 16 to 4096.
  public init(
    points: [(x: Double, y: Double)], extent: Double, size: Int = 320,
    marks: [(x: Double, y: Double)] = [], title: String? = nil
  ) {
    precondition(extent > 0 && extent.isFinite, "the extent is a positive number, not \(extent)")
    precondition(16...4096 ~= size, "the side is from 16 to 4096 pixels, not \(size)")
    self.points = points
    self.extent = extent
    self.size = size
    self.marks = marks
    self.title = title
  }

  private static let band = 34
  private static let titleStyle = TextStyle(size: 16, weight: .bold)
  /// What is as bright as it gets, in even densities.
  private static let brightest = 512.0
  /// The line around the marks is where their density is this share of its peak.
  private static let outline = 0.05

  /// Draws the picture, RGB, `size` pixels wide.
  public func image() -> Image {
    var square = Image(width: size, height: size, filledWith: [0, 0, 0])
    let colours = (0...1023).map { Colour.viridis(Double($0) / 1023) }
    let density = PlanarDensity(
      of: points, extent: extent, side: size, spread: max(Double(size) / 213, 0.75))
    let line = marksOutline()
    for (index, value) in density.values.enumerated() {
      let position = min(log2(1 + value) / log2(1 + Self.brightest), 1)
      var colour = colours[Int(position * 1023)]
      if line[index] > 0 { colour = colour.mixed(with: .white, amount: 0.75 * line[index]) }
      square.pixels[3 * index] = colour.red
      square.pixels[3 * index + 1] = colour.green
      square.pixels[3 * index + 2] = colour.blue
    }
    guard let title else { return square }
    var canvas = Canvas(width: size, height: size + Self.band)
    canvas.text(
      Self.titleStyle.fitted(title, to: Double(size - 12)),
      at: Point(x: 6, y: Double(Self.band - 12)),
      style: Self.titleStyle)
    canvas.draw(square, x: 0, y: Self.band)
    return canvas.image
  }

  /// How much of every pixel the line around the marks covers.
  ///
  /// A pixel's distance from the line is, to first order, |f − level| / |∇f|; f is the logarithm of
  /// the marks' density, which is a paraboloid over a Gaussian, so that the line is of one width.
  private func marksOutline() -> [Double] {
    var covered = [Double](repeating: 0, count: size * size)
    let density = PlanarDensity(
      of: marks, extent: extent, side: size, spread: max(Double(size) / 100, 1))
    let peak = density.values.max() ?? 0
    guard peak > 0 else { return covered }
    let heights = density.values.map { log(max($0 / peak, 1e-6)) }
    let level = log(Self.outline)
    let half = max(Double(size) / 600, 0.5)
    for y in 1..<size - 1 {
      for x in 1..<size - 1 {
        let index = y * size + x
        let across = (heights[index + 1] - heights[index - 1]) / 2
        let down = (heights[index + size] - heights[index - size]) / 2
        let slope = (across * across + down * down).squareRoot()
        guard slope > 0 else { continue }
        covered[index] = min(max(half + 0.5 - abs(heights[index] - level) / slope, 0), 1)
      }
    }
    return covered
  }
}
