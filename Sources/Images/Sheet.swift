/// A page of titled pictures: originals, reconstructions, samples and maps side by side.
public struct Sheet: Sendable {
  /// One titled picture, usually an `ImageGrid` or a plot.
  public struct Section: Sendable {
    /// The heading above the picture.
    public var title: String
    /// One line in grey below the heading.
    public var note: String?
    /// The picture.
    public var picture: Image

    /// Makes a section.
    public init(_ title: String, note: String? = nil, picture: Image) {
      self.title = title
      self.note = note
      self.picture = picture
    }
  }

  /// The heading of the page.
  public var title: String
  /// Lines in grey below the heading.
  public var note: String?
  /// The sections, from top to bottom; those of one row stand side by side.
  public var rows: [[Section]]

  /// Makes a page.
  public init(_ title: String, note: String? = nil, rows: [[Section]]) {
    self.title = title
    self.note = note
    self.rows = rows
  }

  private static let margin = 36
  private static let gap = 36
  private static let noteHeight = 22
  private static let titleStyle = TextStyle(size: 28, weight: .bold)
  private static let headingStyle = TextStyle(size: 18, weight: .bold)
  private static let noteStyle = TextStyle(size: 15, colour: .slate)

  /// Draws the page, as wide as its widest row.
  ///
  /// - Throws: `ImageError.tooLarge` when the page would exceed `Image.maximumPixelCount`.
  public func image() throws(ImageError) -> Image {
    let placed = layout()
    let margin = Sheet.margin
    // A page of one small picture still has room for its heading.
    let heading = max(
      Sheet.titleStyle.width(of: String(title.prefix(80))),
      noteLines.map { Sheet.noteStyle.width(of: String($0.prefix(120))) }.max() ?? 0)
    let content = placed.map { $0.x + $0.width }.max() ?? margin
    let width = max(content, margin + Int(heading) + 1) + margin
    let height = (placed.map { $0.y + $0.height }.max() ?? headHeight) + margin
    guard width <= Image.maximumPixelCount / height else {
      throw .tooLarge(path: "picture sheet", width: width, height: height)
    }
    var canvas = Canvas(width: width, height: height)
    let room = Double(width - 2 * margin)
    write(title, Sheet.titleStyle, x: margin, y: margin + 22, room: room, on: &canvas)
    for (index, line) in noteLines.enumerated() {
      write(
        line, Sheet.noteStyle, x: margin, y: margin + 50 + Sheet.noteHeight * index, room: room,
        on: &canvas)
    }
    for place in placed {
      let section = place.section
      let room = Double(place.width)
      write(section.title, Sheet.headingStyle, x: place.x, y: place.y + 14, room: room, on: &canvas)
      if let note = section.note {
        write(note, Sheet.noteStyle, x: place.x, y: place.y + 36, room: room, on: &canvas)
      }
      canvas.draw(
        section.picture, x: place.x, y: place.y + place.height - section.picture.height)
    }
    return canvas.image
  }

  private struct Placed {
    let section: Section
    let x: Int
    let y: Int
    let width: Int
    let height: Int
  }

  private var noteLines: [String] {
    note.map { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) } ?? []
  }

  private var headHeight: Int {
    Sheet.margin + 32 + (note == nil ? 0 : 28 + Sheet.noteHeight * (noteLines.count - 1))
  }

  private func layout() -> [Placed] {
    var placed: [Placed] = []
    var y = headHeight + 20
    for row in rows where !row.isEmpty {
      // Pictures of a row start at one height, whether or not each has a note.
      let head = row.contains { $0.note != nil } ? 50 : 28
      var x = Sheet.margin
      for section in row {
        let words = max(
          Sheet.headingStyle.width(of: String(section.title.prefix(80))),
          Sheet.noteStyle.width(of: String((section.note ?? "").prefix(120))))
        let width = max(section.picture.width, Int(words) + 1)
        placed.append(
          Placed(
            section: section, x: x, y: y, width: width, height: head + section.picture.height))
        x += width + Sheet.gap
      }
      y += head + (row.map(\.picture.height).max() ?? 0) + Sheet.gap
    }
    return placed
  }

  private func write(
    _ text: String, _ style: TextStyle, x: Int, y: Int, room: Double, on canvas: inout Canvas
  ) {
    canvas.text(
      style.fitted(text, to: room + 1), at: Point(x: Double(x), y: Double(y)), style: style)
  }
}
