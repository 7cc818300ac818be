import Images
import Testing

@Suite("Drawing")
struct DrawingTests {
  private let ink: [UInt8] = [0, 0, 0]
  private let paper: [UInt8] = [255, 255, 255]

  @Test("a line's coverage adds up to its area")
  func drawsLine() {
    var canvas = Canvas(width: 60, height: 40)
    canvas.line(
      from: Point(x: 10, y: 9.3), to: Point(x: 50, y: 30.8), width: 3, colour: Colour(hex: 0))
    let covered = canvas.image.pixels.reduce(0.0) { $0 + Double(255 - $1) / 255 } / 3
    let length = (40.0 * 40 + 21.5 * 21.5).squareRoot()
    let area = length * 3 + Double.pi * 1.5 * 1.5
    #expect(abs(covered - area) / area < 0.03)
    #expect(canvas.image[30, 20] == ink && canvas.image[5, 30] == paper)
  }

  @Test("circles and rectangles fill what they should and are cut off at the edge")
  func drawsShapes() {
    var canvas = Canvas(width: 40, height: 30)
    canvas.circle(centre: Point(x: 20, y: 15), radius: 10, colour: Colour(hex: 0))
    let covered = canvas.image.pixels.reduce(0.0) { $0 + Double(255 - $1) / 255 } / 3
    #expect(abs(covered - 314.16) < 3)
    canvas.rectangle(x: -5, y: -5, width: 8, height: 7, colour: Colour(hex: 0xff0000))
    #expect(canvas.image[2, 1] == [255, 0, 0] && canvas.image[3, 1] == paper)
    #expect(canvas.image[2, 2] == paper)
    let before = canvas.image
    canvas.circle(centre: Point(x: .nan, y: 3), radius: 5, colour: Colour(hex: 0))
    canvas.circle(centre: Point(x: 1e12, y: 3), radius: 5, colour: Colour(hex: 0))
    canvas.rectangle(x: 100, y: 100, width: 10, height: 10, colour: Colour(hex: 0))
    #expect(canvas.image == before)
  }

  @Test("every letter differs from every other and from the empty box")
  func drawsLetters() {
    func drawn(_ text: String) -> [UInt8] {
      var canvas = Canvas(width: 40, height: 40)
      canvas.text(text, at: Point(x: 8, y: 28), style: TextStyle(size: 24))
      return canvas.image.pixels
    }
    let printable = (33..<127).map { String(UnicodeScalar(UInt8($0))) }
    let all = printable + ["α", "ᾱ", "β", "ε", "μ", "σ", "²", "→", "×", "±", "–", "—", "·", "…"]
    let pictures = Set((all + ["漢"]).map(drawn))
    #expect(pictures.count == all.count + 1)
    #expect(!pictures.contains(drawn(" ")))
  }

  @Test("a line of text ends where its width says, in either direction")
  func measuresText() {
    let style = TextStyle(size: 16)
    let text = "Hamburgefonstiv 0123"
    let width = style.width(of: text)
    var canvas = Canvas(width: 400, height: 400)
    canvas.text(text, at: Point(x: 20, y: 380), style: style)
    let right = (0..<400).last { x in (350..<400).contains { canvas.image[x, $0] != paper } }
    #expect(abs(Double(right ?? 0) - (20 + width)) < 2)

    canvas = Canvas(width: 400, height: 400)
    canvas.text(text, at: Point(x: 50, y: 390), style: style, direction: .upwards)
    let top = (0..<400).first { y in (20..<80).contains { canvas.image[$0, y] != paper } }
    #expect(abs(Double(top ?? 0) - (390 - width)) < 2)

    let cut = style.fitted(text, to: 80)
    #expect(cut.hasPrefix("Hamb") && cut.hasSuffix("…") && style.width(of: cut) <= 80)
    #expect(style.fitted(text, to: width) == text)
    let endless = String(repeating: "i", count: 1_000_000)
    #expect(style.fitted(endless, to: 100).count < 100)
  }

  @Test("viridis runs from violet to yellow, ever lighter")
  func mapsColours() {
    #expect(Colour.viridis(-1) == Colour(hex: 0x440154))
    #expect(Colour.viridis(.nan) == Colour(hex: 0x440154))
    #expect(Colour.viridis(0.5) == Colour(hex: 0x21908c))
    #expect(Colour.viridis(2) == Colour(hex: 0xfde725))
    let lightness = (0...50).map { step -> Double in
      let colour = Colour.viridis(Double(step) / 50)
      let red = 0.299 * Double(colour.red)
      return red + 0.587 * Double(colour.green) + 0.114 * Double(colour.blue)
    }
    #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 < $1 })
    #expect(Set(Colour.categories).count == 10)
    #expect(
      Colour.category(-1) == Colour.categories[9] && Colour.category(12) == Colour.category(2))
  }

  @Test("a grid puts every picture in its cell, enlarged without blur")
  func tilesGrid() throws {
    let pictures = (0..<5).map { index in
      Image(width: 2, height: 2, channels: 1, pixels: [UInt8(index), 50, 60, 70])
    }
    let grid = ImageGrid(pictures, columns: 3, scale: 3, padding: 1, margin: 4)
    let image = try grid.image()
    #expect(image.width == 3 * 6 + 2 + 8 && image.height == 2 * 6 + 1 + 8)
    for index in 0..<5 {
      let x = 4 + index % 3 * 7
      let y = 4 + index / 3 * 7
      #expect(image[x, y] == image[x + 2, y + 2])
      #expect(image[x, y][0] == UInt8(index) && image[x + 3, y] == [50, 50, 50])
    }
    #expect(image[4 + 14, 4 + 7] == paper && image[0, 0] == paper)
  }

  @Test("headings make room for themselves")
  func titlesGrid() throws {
    let picture = Image(width: 40, height: 40, filledWith: [0])
    let plain = try ImageGrid([picture, picture], columns: 2).image()
    let titled = try ImageGrid(
      [picture, picture], columns: 2, columnTitles: ["one", "two"], rowTitles: ["row"]
    ).image()
    #expect(titled.height == plain.height + 24 && titled.width > plain.width + 20)
    let left = titled.width - plain.width
    #expect(titled.cropped(x: left, y: 24, width: plain.width, height: plain.height) == plain)
    #expect(titled.cropped(x: left, y: 0, width: 40, height: 24).pixels.contains { $0 < 160 })
    #expect(titled.cropped(x: 0, y: 24, width: left, height: 40).pixels.contains { $0 < 160 })
  }

  @Test("a grid or page beyond the limit is refused, an empty one is drawn")
  func refusesHugeGrid() throws {
    let picture = Image(width: 1000, height: 1000, filledWith: [0])
    #expect(throws: ImageError.self) { try ImageGrid([picture], scale: 100).image() }
    #expect(throws: ImageError.self) { try ImageGrid([picture], scale: .max / 2).image() }
    #expect(try ImageGrid([]).image().width == 1)
    #expect(try Sheet("Nothing", rows: []).image().width > 100)
  }
}
