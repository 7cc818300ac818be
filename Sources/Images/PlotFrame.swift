/// What every plot has around its data: title, legend, grid lines, axes and their labels.
struct PlotFrame {
  struct LegendEntry {
    let name: String
    let colour: Colour
  }

  enum LegendMark { case line, dot }

  /// The picture; data are drawn on it at the places that `place(_:_:)` gives.
  var canvas: Canvas
  /// The data area, in whole pixels.
  let left: Int
  let top: Int
  let width: Int
  let height: Int
  private let horizontal: PlotScale
  private let vertical: PlotScale

  private static let tickStyle = TextStyle(size: 13, colour: .slate)
  private static let labelStyle = TextStyle(size: 14, colour: .slate)
  private static let titleStyle = TextStyle(size: 18, weight: .bold)
  private static let margin = 20

  init(
    width canvasWidth: Int, height canvasHeight: Int, title: String?, xLabel: String?,
    yLabel: String?, horizontal: PlotScale, vertical: PlotScale, legend: [LegendEntry],
    mark: LegendMark
  ) {
    let margin = PlotFrame.margin
    canvas = Canvas(width: canvasWidth, height: canvasHeight)
    self.horizontal = horizontal
    self.vertical = vertical
    let room = Double(canvasWidth - 2 * margin)
    let legendRows = PlotFrame.rows(of: legend, room: room)
    let widest = vertical.labels.map { PlotFrame.tickStyle.width(of: $0.text) }.max() ?? 0
    left = margin + Int(widest) + 10 + (yLabel == nil ? 0 : 24)
    top = margin + (title == nil ? 0 : 32) + legendRows.count * 22 + 6
    width = max(canvasWidth - left - margin - 6, 1)
    height = max(canvasHeight - top - margin - 20 - (xLabel == nil ? 0 : 24), 1)

    if let title {
      canvas.text(
        PlotFrame.titleStyle.fitted(title, to: room),
        at: Point(x: Double(margin), y: Double(margin + 14)), style: PlotFrame.titleStyle)
    }
    let legendTop = margin + (title == nil ? 0 : 32)
    for (row, entries) in legendRows.enumerated() {
      drawLegend(entries, y: Double(legendTop + row * 22 + 10), room: room, mark: mark)
    }
    drawAxes(xLabel: xLabel, yLabel: yLabel)
  }

  /// The place of a pair of numbers, or nil where an axis cannot show it.
  func place(_ x: Double, _ y: Double) -> Point? {
    guard let across = horizontal.fraction(x), let up = vertical.fraction(y) else { return nil }
    return Point(
      x: Double(left) + across * Double(width), y: Double(top) + (1 - up) * Double(height))
  }

  private mutating func drawAxes(xLabel: String?, yLabel: String?) {
    let bottom = top + height
    for (fraction, text) in vertical.labels {
      let y = Double(top) + (1 - fraction) * Double(height)
      canvas.rectangle(x: left, y: Int(y), width: width, height: 1, colour: .mist)
      canvas.text(
        text, at: Point(x: Double(left - 8), y: y + 4), style: PlotFrame.tickStyle, anchor: .end)
    }
    for (fraction, text) in horizontal.labels {
      let x = Double(left) + fraction * Double(width)
      canvas.rectangle(x: Int(x), y: top, width: 1, height: height, colour: .mist)
      canvas.text(
        text, at: Point(x: x, y: Double(bottom + 18)), style: PlotFrame.tickStyle, anchor: .middle)
    }
    canvas.rectangle(x: left, y: bottom, width: width, height: 1, colour: .silver)
    canvas.rectangle(x: left, y: top, width: 1, height: height, colour: .silver)
    if let xLabel {
      let style = PlotFrame.labelStyle
      canvas.text(
        style.fitted(xLabel, to: Double(width)),
        at: Point(x: Double(left) + Double(width) / 2, y: Double(bottom + 42)), style: style,
        anchor: .middle)
    }
    if let yLabel {
      let style = PlotFrame.labelStyle
      canvas.text(
        style.fitted(yLabel, to: Double(height)),
        at: Point(x: Double(PlotFrame.margin + 12), y: Double(top) + Double(height) / 2),
        style: style, anchor: .middle, direction: .upwards)
    }
  }

  private mutating func drawLegend(
    _ entries: [LegendEntry], y: Double, room: Double, mark: LegendMark
  ) {
    var x = Double(PlotFrame.margin)
    for entry in entries {
      switch mark {
      case .line:
        canvas.line(
          from: Point(x: x + 2, y: y - 4.5), to: Point(x: x + 18, y: y - 4.5), width: 3,
          colour: entry.colour)
      case .dot:
        canvas.circle(centre: Point(x: x + 10, y: y - 4.5), radius: 5, colour: entry.colour)
      }
      let style = TextStyle(size: 14, colour: .ink)
      let text = style.fitted(entry.name, to: room - 26)
      canvas.text(text, at: Point(x: x + 26, y: y), style: style)
      x += PlotFrame.legendWidth(entry)
    }
  }

  private static func legendWidth(_ entry: LegendEntry) -> Double {
    26 + TextStyle(size: 14).width(of: String(entry.name.prefix(200))) + 22
  }

  /// Legend entries in lines that fit, at most four lines of them.
  private static func rows(of legend: [LegendEntry], room: Double) -> [[LegendEntry]] {
    var rows: [[LegendEntry]] = []
    var used = Double.infinity
    for entry in legend where !entry.name.isEmpty {
      let wanted = legendWidth(entry)
      if used + wanted - 22 > room {
        if rows.count == 4 { break }
        rows.append([])
        used = 0
      }
      rows[rows.count - 1].append(entry)
      used += wanted
    }
    return rows
  }
}
