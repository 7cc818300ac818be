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
