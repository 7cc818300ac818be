import Images
import Testing

@Suite("Plots and sheets")
struct PlotTests {
  private func count(_ colour: Colour, in image: Image) -> Int {
    stride(from: 0, to: image.pixels.count, by: 3).count { start in
      image.pixels[start..<start + 3].elementsEqual([colour.red, colour.green, colour.blue])
    }
  }

  @Test("a rising curve rises in its own colour, and every curve is in the legend")
  func drawsCurves() {
    let plot = LinePlot(
      [
        .init("up", values: [0, 1, 2, 3], colour: Colour(hex: 0xff0000)),
        .init("down", values: [3, 2, 1, 0]),
      ], title: "Title", xLabel: "x", yLabel: "y")
    let image = plot.image(width: 400, height: 300)
    #expect(image.width == 400 && image.height == 300 && image.channels == 3)
    // Below the legend, red goes from the lower left to the upper right.
    let red = (100..<300).flatMap { y in
      (0..<400).filter { image[$0, y] == [255, 0, 0] }.map { (x: $0, y: y) }
    }
    #expect(red.count > 200)
    let first = red.min { $0.x < $1.x }
    let last = red.max { $0.x < $1.x }
    #expect((first?.y ?? 0) > (last?.y ?? 0) + 100)
    #expect(count(Colour.category(1), in: image) > 200)
    let legend = image.cropped(x: 0, y: 45, width: 400, height: 30)
    #expect(count(Colour(hex: 0xff0000), in: legend) > 10)
    #expect(count(Colour.category(1), in: legend) > 10)
  }

  @Test("words stand beside their points, off curves, edges and one another")
  func labelsPoints() {
    func plot(_ labels: [String]) -> Image {
      // Two points so close that their words would cover each other, on a curve across the plot.
      let points = [(x: 1.0, y: 1.5), (x: 1.1, y: 1.5), (x: 100, y: 1.5)]
      return LinePlot(
        [
          .init("", points: points, colour: Colour(hex: 0xff0000), labels: labels),
          .init("", points: [(x: 10, y: 1), (x: 10, y: 2)]),
        ], xScale: .logarithmic
      ).image(width: 400, height: 300)
    }
    func ink(_ image: Image) -> [(x: Int, y: Int)] {
      (0..<300).flatMap { y in
        (0..<400).filter { image[$0, y] == [0x1b, 0x1f, 0x24] }.map { (x: $0, y: y) }
      }
    }
    let dots = plot(["", "", ""])
    #expect(ink(dots).isEmpty)
    let named = plot(["HHH", "HHH", "HHHH"])
    let words = ink(named)
    // Every stroke shows, none is cut off at the right edge, and no word hides a point or a curve.
    #expect(words.count > 100)
    #expect(words.allSatisfy { $0.x < 380 && $0.y > 20 && $0.y < 270 })
    let red = [UInt8](arrayLiteral: 0xff, 0, 0)
    func reds(_ image: Image) -> Int {
      (0..<300).reduce(0) { sum, y in sum + (0..<400).count { image[$0, y] == red } }
    }
    #expect(reds(dots) == reds(named))
    // Words that covered each other would show less ink than each by itself.
    let alone = [["HHH", "", ""], ["", "HHH", ""], ["", "", "HHHH"]].map { ink(plot($0)).count }
    #expect(Double(words.count) > 0.8 * Double(alone.reduce(0, +)), "\(words.count), \(alone)")
  }

  @Test("a table is as wide as its texts, and a strong one is heavier")
  func drawsTable() throws {
    func table(_ name: String, strong: Bool) throws -> Image {
      try TablePicture(
        header: ["run", "FID∞"],
        rows: [[.init(name), .init("12.5", isStrong: strong)], [.init("b"), .init("3")]]
      ).image()
    }
    let plain = try table("a", strong: false)
    let strong = try table("a", strong: true)
    func darkness(_ image: Image) -> Int { image.pixels.reduce(0) { $0 + 255 - Int($1) } }
    #expect(darkness(strong) > darkness(plain))
    #expect(try table("a longer name", strong: false).width > plain.width + 40)
    // Cut, not endless.
    #expect(try table(String(repeating: "long ", count: 500), strong: false).width < 500)
  }

  @Test("a gap breaks the curve")
  func breaksCurve() {
    let whole = LinePlot([.init("", values: Array(repeating: 1, count: 9) + [2])])
    let broken = LinePlot([
      .init("", values: [1, 1, 1, .nan, .infinity, .nan, 1, 1, 1, 2])
    ])
    let ink = Colour.category(0)
    let most = count(ink, in: whole.image())
    #expect(count(ink, in: broken.image()) < most * 8 / 10)
  }

  @Test(
    "any numbers can be plotted",
    arguments: [
      [], [0], [5, 5, 5], [.nan], [-.infinity, .infinity], [1e308, -1e308],
      [.leastNonzeroMagnitude, .leastNormalMagnitude],
      [1e16, 1e16 + 2], [-3, -2], [1e-9, 2e-9], [0, 1e12],
    ] as [[Double]], [AxisScale.linear, .logarithmic])
  func plotsAnything(values: [Double], scale: AxisScale) {
    let curves = LinePlot([.init("curve", values: values)], xScale: scale, yScale: scale)
    let points = ScatterPlot(values.map { .init(x: $0, y: -$0, label: -7) }, labels: ["a", "b"])
    for image in [curves.image(width: 300, height: 200), points.image(width: 300, height: 200)] {
      #expect(Set(image.pixels).count > 5, "axes or points are drawn")
    }
    #expect(curves.image(width: 1, height: 1).pixels.count == 3)
  }

  @Test("scatter points lie where their numbers say, in their class's colour")
  func drawsPoints() {
    let plot = ScatterPlot([
      .init(x: -1, y: -1, label: 0), .init(x: 1, y: 1, label: 1), .init(x: .nan, y: 0, label: 2),
    ])
    let image = plot.image(width: 300, height: 300)
    func centre(_ label: Int) -> (x: Int, y: Int)? {
      // Points are translucent, so their middle is three quarters of their colour.
      let shown = Colour.white.mixed(with: .category(label), amount: 0.75)
      let hits = (0..<300).flatMap { y in
        (0..<300).filter { x in
          zip(image[x, y], [shown.red, shown.green, shown.blue])
            .allSatisfy { abs(Int($0) - Int($1)) <= 1 }
        }.map { (x: $0, y: y) }
      }
      return hits.isEmpty ? nil : hits[hits.count / 2]
    }
    let low = centre(0)
    let high = centre(1)
    #expect((low?.x ?? 999) < 90 && (low?.y ?? 0) > 200)
    #expect((high?.x ?? 0) > 220 && (high?.y ?? 999) < 80)
    #expect(centre(2) == nil)
  }

  @Test("a sheet holds all its pictures unchanged")
  func drawsSheet() throws {
    let red = Image(width: 50, height: 30, filledWith: [255, 0, 0])
    let green = Image(width: 20, height: 60, filledWith: [0, 255, 0])
    let blue = Image(width: 70, height: 10, filledWith: [0, 0, 255])
    let sheet = Sheet(
      "Page", note: "note",
      rows: [
        [.init("a", picture: red), .init("b", note: "note", picture: green)],
        [.init("c", picture: blue)],
      ])
    let image = try sheet.image()
    #expect(count(Colour(hex: 0xff0000), in: image) == 50 * 30)
    #expect(count(Colour(hex: 0x00ff00), in: image) == 20 * 60)
    #expect(count(Colour(hex: 0x0000ff), in: image) == 70 * 10)
    #expect(count(.ink, in: image) > 50)
  }
}
