import Foundation
import Images
import Testing

@Suite("Pictures of density")
struct DensityPictureTests {
  private typealias Points = [(x: Double, y: Double)]

  /// A round Gaussian cloud.
  private func cloud(_ count: Int, x: Double, y: Double, sigma: Double, seed: UInt64 = 1) -> Points
  {
    var random = SeededGenerator(state: seed)
    return (0..<count).map { _ in
      let radius = sigma * (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
      let angle = Double.random(in: 0..<2 * Double.pi, using: &random)
      return (x: x + radius * cos(angle), y: y + radius * sin(angle))
    }
  }

  /// What viridis grows by from its dark end to its bright one: green.
  private func brightness(_ image: Image, _ x: Int, _ y: Int) -> Int { Int(image[x, y][1]) }

  private let background: [UInt8] = [0x44, 0x01, 0x54]
  private let brightest: [UInt8] = [0xfd, 0xe7, 0x25]

  @Test("points shine where they lie, y upwards, and nowhere else")
  func placesPoints() {
    let image = DensityPicture(
      points: cloud(1000, x: 1, y: 0.5, sigma: 0.02), extent: 2, size: 200
    ).image()
    #expect(image.width == 200 && image.height == 200 && image.channels == 3)
    // (1, ½) within ±2 is three quarters across and three eighths down.
    let lit = (0..<200).flatMap { y in
      (0..<200).filter { image[$0, y] != background }.map { (x: $0, y: y) }
    }
    #expect(image[150, 75] == brightest)
    #expect(lit.count > 20 && lit.allSatisfy { abs($0.x - 150) < 12 && abs($0.y - 75) < 12 })
    let middle = lit.reduce(0.0) { $0 + Double($1.x) } / Double(lit.count)
    #expect(abs(middle + 0.5 - 150) < 1)
  }

  @Test("the scale is the density over the even one, whatever the number of points and pixels")
  func scaleIsAbsolute() {
    // Points on a fine grid are even: 1, so log 2 / log 513 of the way along viridis.
    func even(_ steps: Int) -> Points {
      let places = (0..<steps).map { (Double($0) + 0.5) / Double(steps) * 4 - 2 }
      return places.flatMap { y in places.map { (x: $0, y: y) } }
    }
    let expected = Colour.viridis(1 / log2(513))
    for (steps, size) in [(128, 64), (256, 64), (256, 128)] {
      let image = DensityPicture(points: even(steps), extent: 2, size: size).image()
      for (x, y) in [(size / 2, size / 2), (size / 4, size * 3 / 5)] {
        for (shown, wanted) in zip(image[x, y], [expected.red, expected.green, expected.blue]) {
          #expect(abs(Int(shown) - Int(wanted)) <= 1)
        }
      }
    }
    // Half of the points outside: what is left is fainter, and the rest does not crash.
    let near = cloud(2000, x: 0, y: 0, sigma: 0.5)
    let whole = DensityPicture(points: near, extent: 2, size: 64).image()
    let half = DensityPicture(
      points: near + Points(repeating: (x: 50, y: 0), count: 1000)
        + Points(repeating: (x: .nan, y: .infinity), count: 1000), extent: 2, size: 64
    ).image()
    #expect(brightness(half, 32, 32) < brightness(whole, 32, 32))
    #expect(brightness(half, 32, 32) > Int(background[1]) + 20)
  }

  @Test("a denser place is brighter")
  func ordersDensities() {
    let points =
      cloud(1600, x: -1, y: 0, sigma: 0.2) + cloud(400, x: 1, y: 0, sigma: 0.2, seed: 2)
    let image = DensityPicture(points: points, extent: 2, size: 128).image()
    let left = brightness(image, 32, 64)
    let right = brightness(image, 96, 64)
    #expect(left > right + 15 && right > brightness(image, 64, 64) + 15)
  }

  @Test("marks are outlined, and what is within stays visible")
  func outlinesMarks() {
    let points = cloud(500, x: 0, y: 0, sigma: 0.02)
    func picture(_ marks: Points) -> Image {
      DensityPicture(points: points, extent: 2, size: 200, marks: marks).image()
    }
    let plain = picture([])
    let marked = picture([(x: 0, y: 0), (x: -1, y: 1), (x: .nan, y: 0), (x: 9, y: 9)])
    #expect(marked[100, 100] == plain[100, 100] && plain[100, 100] == brightest)
    // The kernel falls to a twentieth at √(2 ln 20) = 2.45 times its deviation of 2 pixels.
    let line = (0..<200).flatMap { y in
      (0..<200).filter { marked[$0, y] != plain[$0, y] }.map { (x: $0, y: y) }
    }
    #expect(line.count > 40)
    for place in line {
      let distance = [(100.0, 100.0), (50, 50)].map { centre in
        (pow(Double(place.x) + 0.5 - centre.0, 2) + pow(Double(place.y) + 0.5 - centre.1, 2))
          .squareRoot()
      }.min()
      #expect(abs((distance ?? 0) - 4.9) < 2.2)
    }
    for (right, down) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
      let isCrossed = (3...7).contains {
        marked[50 + $0 * right, 50 + $0 * down].allSatisfy { $0 > 80 }
      }
      #expect(isCrossed, "the line is white and closed")
    }
  }

  @Test("a title stands in a band above an unchanged square")
  func writesTitle() {
    let points = cloud(300, x: 0, y: 0, sigma: 0.5)
    let plain = DensityPicture(points: points, extent: 2, size: 120).image()
    let titled = DensityPicture(
      points: points, extent: 2, size: 120, title: "step 1000, a title that is much too long"
    ).image()
    #expect(titled.width == 120 && titled.height == 154)
    #expect(titled.cropped(x: 0, y: 34, width: 120, height: 120) == plain)
    let band = titled.cropped(x: 0, y: 0, width: 120, height: 34)
    #expect(band.pixels.contains { $0 < 100 } && band[0, 0] == [255, 255, 255])
  }

  @Test("no points, one point and points on the edge are drawn")
  func drawsLittle() {
    func colours(_ points: Points) -> Set<[UInt8]> {
      let image = DensityPicture(points: points, extent: 1, size: 16, marks: points).image()
      return Set((0..<256).map { image[$0 % 16, $0 / 16] })
    }
    #expect(colours([]) == [background])
    #expect(colours([(x: .nan, y: .nan), (x: 1e300, y: -1e300)]) == [background])
    #expect(colours([(x: 0, y: 0)]).count > 5)
    #expect(colours([(x: 1, y: 1), (x: -1, y: -1), (x: 1, y: -1)]).count > 5)
  }
}
