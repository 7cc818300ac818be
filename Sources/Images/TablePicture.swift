/// A table of short texts as a picture: names on the left, figures in columns beside them.
public struct TablePicture: Sendable {
  /// One text of the table.
  public struct Cell: Sendable {
    /// What it says.
    public var text: String
    /// Whether it stands out among those of its column.
    public var isStrong: Bool

    /// Makes a cell.
    public init(_ text: String, isStrong: Bool = false) {
      self.text = text
      self.isStrong = isStrong
    }
  }

  /// The headings of the columns; the first is above the names.
  public var header: [String]
  /// The rows, as long as the header.
  public var rows: [[Cell]]

  /// Makes a table.
  public init(header: [String], rows: [[Cell]]) {
    precondition(rows.allSatisfy { $0.count == header.count }, "a row is as long as the header")
    self.header = header
    self.rows = rows
  }

  private static let rowHeight = 28
  private static let gap = 26
  private static let headStyle = TextStyle(size: 14, colour: .slate)
  private static let style = TextStyle(size: 15)
  private static let strongStyle = TextStyle(size: 15, weight: .bold)
  private static let widest = 320.0

  /// Draws the table, as wide as its texts.
  ///
  /// - Throws: `ImageError.tooLarge` when it would exceed `Image.maximumPixelCount`.
  public func image() throws(ImageError) -> Image {
    let widths = header.indices.map { column in
      rows.map { Self.style(of: $0[column]).width(of: String($0[column].text.prefix(80))) }
        .reduce(Self.headStyle.width(of: String(header[column].prefix(80))), max)
    }.map { min($0, Self.widest) + 1 }
    let total = widths.reduce(0, +) + Double(Self.gap * (header.count - 1))
    let width = max(Int(total) + 2, 1)
    let height = (rows.count + 1) * Self.rowHeight + 4
    guard width <= Image.maximumPixelCount / height else {
      throw .tooLarge(path: "table", width: width, height: height)
    }
    var canvas = Canvas(width: width, height: height)
    func write(_ text: String, _ style: TextStyle, _ column: Int, _ row: Int) {
      let left = widths[..<column].reduce(0, +) + Double(Self.gap * column)
      // Names begin at the left edge, figures end at the right one.
      let x = column == 0 ? left : left + widths[column]
      canvas.text(
        style.fitted(text, to: widths[column]),
        at: Point(x: x, y: Double((row + 1) * Self.rowHeight - 9)), style: style,
        anchor: column == 0 ? .start : .end)
    }
    for (column, title) in header.enumerated() { write(title, Self.headStyle, column, 0) }
    for (row, cells) in rows.enumerated() {
      canvas.rectangle(
        x: 0, y: (row + 1) * Self.rowHeight, width: width, height: 1,
        colour: row == 0 ? .silver : .mist)
      for (column, cell) in cells.enumerated() {
        write(cell.text, Self.style(of: cell), column, row + 1)
      }
    }
    return canvas.image
  }

  private static func style(of cell: Cell) -> TextStyle { cell.isStrong ? strongStyle : style }
}
