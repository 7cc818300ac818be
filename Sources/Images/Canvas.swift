/// A place on a canvas, in pixels from the top left corner; pixel centres are at halves.
public struct Point: Sendable, Equatable {
  /// Pixels from the left edge.
  public var x: Double
  /// Pixels from the top edge.
  public var y: Double

  /// Makes a place of its two coordinates, in pixels.
  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// An RGB picture with antialiased drawing; what lies outside it is cut off.
public struct Canvas: Sendable {
  /// What has been drawn so far, RGB.
  public private(set) var image: Image

  /// The number of columns.
  public var width: Int { image.width }
  /// The number of rows.
  public var height: Int { image.height }

  /// Makes a canvas of one colour, with sides in pixels.
  ///
  /// - Precondition: the sides are positive and hold at most `Image.maximumPixelCount` pixels.
  public init(width: Int, height: Int, background: Colour = .white) {
    precondition(
      width > 0 && height > 0 && width <= Image.maximumPixelCount / height,
      "a canvas of \(width) × \(height) pixels is empty or too large")
    image = Image(
      width: width, height: height,
      filledWith: [background.red, background.green, background.blue])
  }

  /// Draws a line with round ends; `width` is in pixels.
  public mutating func line(
    from start: Point, to end: Point, width lineWidth: Double = 1, colour: Colour
  ) {
    polyline([start, end], width: lineWidth, colour: colour)
  }

  /// Draws the line through all points as one shape, with round ends and joints.
  public mutating func polyline(
    _ points: [Point], width lineWidth: Double, colour: Colour, opacity: Double = 1
  ) {
    strokes([points], width: lineWidth, colour: colour, opacity: opacity)
  }

  /// Draws a filled circle; `radius` is in pixels.
  public mutating func circle(
    centre: Point, radius: Double, colour: Colour, opacity: Double = 1
  ) {
    strokes([[centre]], width: 2 * radius, colour: colour, opacity: opacity)
  }

  /// Draws the outline of a circle; `radius` is to the middle of the line.
  public mutating func ring(
    centre: Point, radius: Double, width lineWidth: Double = 1, colour: Colour
  ) {
    let outline = StrokePath.ellipse(
      centre: centre, radiusX: radius, radiusY: radius,
      segments: min(max(Int(radius) * 2, 24), 2000))
    polyline(outline, width: lineWidth, colour: colour)
  }

  /// Fills the pixels of a rectangle, with its corner and sides in whole pixels.
  public mutating func rectangle(x: Int, y: Int, width: Int, height: Int, colour: Colour) {
    let columns = x.clamped(to: 0...self.width)..<(x + width).clamped(to: 0...self.width)
    let rows = y.clamped(to: 0...self.height)..<(y + height).clamped(to: 0...self.height)
    for row in rows {
      for column in columns {
        let index = (row * self.width + column) * 3
        image.pixels[index] = colour.red
        image.pixels[index + 1] = colour.green
        image.pixels[index + 2] = colour.blue
      }
    }
  }

  /// Puts a picture with its top left corner at (x, y), each pixel as `scale` × `scale`.
  ///
  /// Grey becomes RGB and alpha is composited over white.
  public mutating func draw(_ picture: Image, x: Int, y: Int, scale: Int = 1) {
    precondition(scale > 0, "the scale is at least 1")
    let colour = picture.converted(toChannels: 3)
    let columns = max(0, -x)..<max(max(0, -x), min(colour.width * scale, width - x))
    let rows = max(0, -y)..<max(max(0, -y), min(colour.height * scale, height - y))
    for row in rows {
      for column in columns {
        let from = (row / scale * colour.width + column / scale) * 3
        let to = ((y + row) * width + x + column) * 3
        for c in 0..<3 { image.pixels[to + c] = colour.pixels[from + c] }
      }
    }
  }

  /// Draws several polylines as one shape; a line of one point is a dot.
  mutating func strokes(
    _ lines: [[Point]], width lineWidth: Double, colour: Colour, opacity: Double = 1
  ) {
    guard
      var shape = Coverage(
        around: lines.flatMap { $0 }, margin: lineWidth / 2, canvasWidth: width,
        canvasHeight: height)
    else { return }
    for line in lines {
      if line.count == 1 { shape.addDisc(centre: line[0], radius: lineWidth / 2) }
      for (a, b) in zip(line, line.dropFirst()) {
        shape.addStroke(from: a, to: b, width: lineWidth)
      }
    }
    blend(shape, colour: colour, opacity: opacity)
  }

  private mutating func blend(_ shape: Coverage, colour: Colour, opacity: Double) {
    let inks = [Float(colour.red), Float(colour.green), Float(colour.blue)]
    let strength = Float(min(max(opacity, 0), 1))
    for row in 0..<shape.height {
      for column in 0..<shape.width {
        let covered = shape.values[row * shape.width + column] * strength
        guard covered > 0 else { continue }
        let index = ((shape.top + row) * width + shape.left + column) * 3
        for c in 0..<3 {
          let old = Float(image.pixels[index + c])
          image.pixels[index + c] = UInt8(old + (inks[c] - old) * covered + 0.5)
        }
      }
    }
  }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
