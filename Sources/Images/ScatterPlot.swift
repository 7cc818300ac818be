/// Points in a plane, coloured by their label: a latent space, a two-dimensional data set.
public struct ScatterPlot: Sendable {
  /// One point.
  public struct Mark: Sendable {
    /// The horizontal coordinate.
    public var x: Double
    /// The vertical coordinate.
    public var y: Double
    /// The class, an index into `labels` and the colours.
    public var label: Int

    /// Makes a point of class `label`.
    public init(x: Double, y: Double, label: Int = 0) {
      self.x = x
      self.y = y
      self.label = label
    }
  }

  /// The points, the first drawn first; those that are not finite are left out.
  public var marks: [Mark]
  /// The names of the classes, for the legend; without any there is no legend.
  public var labels: [String]
  /// The heading.
  public var title: String?
  /// What is told along the horizontal axis.
  public var xLabel: String?
  /// What is told along the vertical axis.
  public var yLabel: String?

  /// Makes a plot of points.
  public init(
    _ marks: [Mark], labels: [String] = [], title: String? = nil, xLabel: String? = nil,
    yLabel: String? = nil
  ) {
    self.marks = marks
    self.labels = labels
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
  }

  /// Draws the plot; the sides are in pixels.
  ///
  /// Points are translucent and shrink when there are many, so that dense places stay readable.
  public func image(width: Int = 720, height: Int = 680) -> Image {
    let shown = marks.filter { $0.x.isFinite && $0.y.isFinite }
    var frame = PlotFrame(
      width: width, height: height, title: title, xLabel: xLabel, yLabel: yLabel,
      horizontal: PlotScale(shown.map(\.x)), vertical: PlotScale(shown.map(\.y)),
      legend: labels.enumerated().map { .init(name: $1, colour: Colour.category($0)) }, mark: .dot)
    let radius = shown.count > 5000 ? 1.8 : shown.count > 1000 ? 2.6 : 3.6
    for mark in shown {
      guard let place = frame.place(mark.x, mark.y) else { continue }
      frame.canvas.circle(
        centre: place, radius: radius, colour: Colour.category(mark.label), opacity: 0.75)
    }
    return frame.canvas.image
  }
}
