/// Curves over a common axis, such as losses over training steps.
public struct LinePlot: Sendable {
  /// One named curve.
  public struct Series: Sendable {
    /// What the legend calls it; without a name it is not in the legend.
    public var name: String
    /// The points in drawing order; one that is not finite breaks the curve.
    public var points: [(x: Double, y: Double)]
    /// The colour, or nil for the next of `Colour.categories`.
    public var colour: Colour?
    /// Words beside the points, each of which is a dot then; fewer than points is fine.
    public var labels: [String]

    /// Makes a curve through the given points.
    public init(
      _ name: String, points: [(x: Double, y: Double)], colour: Colour? = nil,
      labels: [String] = []
    ) {
      self.name = name
      self.points = points
      self.colour = colour
      self.labels = labels
    }

    /// Makes a curve of the given heights at 0, 1, 2 and so on.
    public init(_ name: String, values: [Double], colour: Colour? = nil) {
      self.init(
        name, points: values.enumerated().map { (Double($0.offset), $0.element) }, colour: colour)
    }
  }

  /// The curves, the first drawn first.
  public var series: [Series]
  /// The heading.
  public var title: String?
  /// What is told along the horizontal axis, with its unit.
  public var xLabel: String?
  /// What is told along the vertical axis, with its unit.
  public var yLabel: String?
  /// How the horizontal axis is laid out.
  public var xScale = AxisScale.linear
  /// How the vertical axis is laid out.
  public var yScale = AxisScale.linear

  /// Makes a plot of curves.
  public init(
    _ series: [Series], title: String? = nil, xLabel: String? = nil, yLabel: String? = nil,
    xScale: AxisScale = .linear, yScale: AxisScale = .linear
  ) {
    self.series = series
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.xScale = xScale
    self.yScale = yScale
  }

  /// Draws the plot; the sides are in pixels.
  ///
  /// Points that an axis cannot show (NaN, infinite, not positive on a logarithmic one) leave a
  /// gap.
  public func image(width: Int = 900, height: Int = 560) -> Image {
    let colours = series.enumerated().map { $1.colour ?? Colour.category($0) }
    let shown = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    var frame = PlotFrame(
      width: width, height: height, title: title, xLabel: xLabel, yLabel: yLabel,
      // Words need room at the ends.
      horizontal: PlotScale(
        shown.map(\.x), kind: xScale, margin: series.allSatisfy(\.labels.isEmpty) ? 0.01 : 0.08),
      vertical: PlotScale(shown.map(\.y), kind: yScale),
      legend: zip(series, colours).map { .init(name: $0.name, colour: $1) }, mark: .line)
    for (curve, colour) in zip(series, colours) {
      let places = curve.points.map { frame.place($0.x, $0.y) }
      for run in places.split(separator: nil) {
        frame.canvas.polyline(run.compactMap { $0 }, width: 2, colour: colour)
      }
    }
    var words = PointLabels(frame)
    for (curve, colour) in zip(series, colours) {
      let places = curve.points.map { frame.place($0.x, $0.y) }
      for run in places.split(separator: nil) { words.avoid(run.compactMap { $0 }) }
      for (place, label) in zip(places, curve.labels) {
        guard let place else { continue }
        frame.canvas.circle(centre: place, radius: PointLabels.radius, colour: colour)
        words.add(label, at: place)
      }
    }
    words.draw(on: &frame.canvas)
    return frame.canvas.image
  }
}
