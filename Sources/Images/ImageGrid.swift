/// Pictures in rows and columns, with optional headings: samples, comparisons, walks.
public struct ImageGrid: Sendable {
  /// The pictures, row by row; the last row may be short.
  public var images: [Image]
  /// The number of pictures in a row, at least 1.
  public var columns: Int
  /// The side of the square that one pixel of a picture becomes; 28 × 28 wants 2 or 3.
  public var scale: Int
  /// The room between pictures, in pixels.
  public var padding: Int
  /// The room around all of them, in pixels.
  public var margin: Int
  /// The colour between pictures.
  public var background: Colour
  /// Headings above the columns; fewer than columns is fine.
  public var columnTitles: [String]
  /// Headings left of the rows; fewer than rows is fine.
  public var rowTitles: [String]

  /// Makes a grid.
  ///
  /// - Parameter columns: The pictures in a row, or nil for about as many as there are rows.
  public init(
    _ images: [Image], columns: Int? = nil, scale: Int = 1, padding: Int = 2, margin: Int = 0,
    background: Colour = .white, columnTitles: [String] = [], rowTitles: [String] = []
  ) {
    self.images = images
    self.columns = columns ?? max(Int(Double(images.count).squareRoot().rounded(.up)), 1)
    self.scale = scale
    self.padding = padding
    self.margin = margin
    self.background = background
    self.columnTitles = columnTitles
    self.rowTitles = rowTitles
  }

  /// Makes a grid of given rows, as wide as the longest; shorter ones end in empty cells.
  public init(
    rows: [[Image]], scale: Int = 1, padding: Int = 2, margin: Int = 0,
    background: Colour = .white, columnTitles: [String] = [], rowTitles: [String] = []
  ) {
    let longest = max(rows.map(\.count).max() ?? 1, 1)
    let blank = Image(
      width: 1, height: 1, filledWith: [background.red, background.green, background.blue])
    self.init(
      rows.flatMap { $0 + Array(repeating: blank, count: longest - $0.count) }, columns: longest,
      scale: scale, padding: padding, margin: margin,
      background: background, columnTitles: columnTitles, rowTitles: rowTitles)
  }

  /// Draws the grid.
  ///
  /// Every cell is as large as the largest picture, and smaller ones stand in the middle of theirs.
  ///
  /// - Throws: `ImageError.tooLarge` when the grid would exceed `Image.maximumPixelCount`.
  public func image() throws(ImageError) -> Image {
    precondition(columns > 0 && scale > 0 && padding >= 0 && margin >= 0, "a grid needs columns")
    let rows = max((images.count + columns - 1) / columns, 1)
    let used = max(min(columns, images.count), 1)
    let style = TextStyle(size: 14, colour: .slate)
    let cellWidth = (images.map(\.width).max() ?? 1).multipliedOrMax(by: scale)
    let cellHeight = (images.map(\.height).max() ?? 1).multipliedOrMax(by: scale)
    let titleWidth =
      rowTitles.prefix(rows).map { style.width(of: String($0.prefix(60))) }.max() ?? 0
    let left = margin + (rowTitles.isEmpty ? 0 : Int(titleWidth) + 12)
    let top = margin + (columnTitles.isEmpty ? 0 : 24)
    let width = extent(left, used, cellWidth)
    let height = extent(top, rows, cellHeight)
    guard width <= Image.maximumPixelCount / height else {
      throw .tooLarge(path: "picture grid", width: width, height: height)
    }
    var canvas = Canvas(width: width, height: height, background: background)
    for (index, picture) in images.enumerated() {
      let x = left + index % columns * (cellWidth + padding)
      let y = top + index / columns * (cellHeight + padding)
      canvas.draw(
        picture, x: x + (cellWidth - picture.width * scale) / 2,
        y: y + (cellHeight - picture.height * scale) / 2, scale: scale)
    }
    for (column, title) in columnTitles.prefix(used).enumerated() {
      let centre = Double(left + column * (cellWidth + padding)) + Double(cellWidth) / 2
      canvas.text(
        style.fitted(title, to: Double(cellWidth + padding)),
        at: Point(x: centre, y: Double(top - 9)), style: style, anchor: .middle)
    }
    for (row, title) in rowTitles.prefix(rows).enumerated() {
      let middle = Double(top + row * (cellHeight + padding)) + Double(cellHeight) / 2
      canvas.text(
        String(title.prefix(60)), at: Point(x: Double(left - 12), y: middle + 5), style: style,
        anchor: .end)
    }
    return canvas.image
  }

  private func extent(_ start: Int, _ count: Int, _ cell: Int) -> Int {
    count.multipliedOrMax(by: min(cell, Image.maximumPixelCount) + padding) + start - padding
      + margin
  }
}

extension Int {
  /// The product, or the largest side that any picture could have.
  fileprivate func multipliedOrMax(by other: Int) -> Int {
    let (product, overflowed) = multipliedReportingOverflow(by: other)
    return overflowed || product > Image.maximumPixelCount ? Image.maximumPixelCount + 1 : product
  }
}
