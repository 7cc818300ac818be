import Interchange

/// Coloured shapes on plain or shaded grounds, drawn when asked for: a set of pictures with labels
/// and captions that needs no download.
///
/// Picture i of a split depends on (seed, split, i, size) alone and is the same on every platform.
/// The label is the shape, the caption names colour and shape ("a red circle"). Fingerprint: seed,
/// split, size and count, which determine every sample.
public struct ShapesDataset: Dataset {
  /// The number of pictures.
  public let count: Int
  /// The sides in pixels.
  public let side: Int
  private let split: Split
  private let seed: UInt64

  private static let palette: [(name: String, colour: (Double, Double, Double))] = [
    ("red", (0.88, 0.13, 0.15)), ("orange", (0.98, 0.55, 0.08)), ("yellow", (0.97, 0.86, 0.15)),
    ("green", (0.15, 0.65, 0.25)), ("cyan", (0.10, 0.75, 0.80)), ("blue", (0.13, 0.30, 0.85)),
    ("purple", (0.52, 0.20, 0.70)), ("pink", (0.96, 0.45, 0.68)),
  ]

  /// The set at `side` × `side` pixels: 10,000 pictures to learn from, 1,000 held out.
  ///
  /// - Precondition: `side` is at least 1.
  public init(split: Split, side: Int = 32, seed: UInt64 = 0) {
    precondition(side > 0, "a picture has at least one pixel")
    self.split = split
    self.side = side
    self.seed = seed
    count = split == .train ? 10_000 : 1_000
  }

  /// `shapes`.
  public var name: String { "shapes" }
  /// `[3, side, side]`.
  public var elementShape: [Int] { [3, side, side] }
  /// Always bytes.
  public var elementKind: ElementKind { .bytes }
  /// The names of the shapes.
  public var classNames: [String]? { ShapeKind.allCases.map(\.rawValue) }
  /// SHA-256 of seed, split, size and count.
  public var fingerprint: String {
    Fingerprint.of(Array("shapes 1 \(seed) \(split) \(side) \(count)".utf8))
  }

  /// The shape's number.
  public func label(at index: Int) -> Int? { subject(index).kind }

  /// Colour and shape, such as "a red circle".
  public func caption(at index: Int) -> String? {
    let (kind, colour, _) = subject(index)
    let name = Self.palette[colour].name
    return "\(name == "orange" ? "an" : "a") \(name) \(ShapeKind.allCases[kind].rawValue)"
  }

  /// Draws one picture.
  public func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) {
    var (kind, colour, generator) = subject(index)
    let shape = ShapeKind.allCases[kind]
    let size = Double(side)
    let radius = size * generator.uniform(0.22...0.4)
    let room = size / 2 - radius
    let centreX = size / 2 + room * generator.uniform(-0.8...0.8)
    let centreY = size / 2 + room * generator.uniform(-0.8...0.8)
    // tan(θ / 2) for up to 17° either way gives sine and cosine without a library's rounding.
    let t = generator.uniform(-0.15...0.15)
    let (cosine, sine) = ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))
    let (r, g, b) = Self.palette[colour].colour
    let ink = [r, g, b].map { min(max($0 + generator.uniform(-0.06...0.06), 0), 1) }
    let ground = ground(&generator)
    // Each plane is scaled once; coverage fades over one pixel about the outline.
    for y in 0..<side {
      for x in 0..<side {
        let dx = (Double(x) + 0.5 - centreX) / radius
        let dy = (centreY - Double(y) - 0.5) / radius
        let distance = shape.distance(cosine * dx + sine * dy, cosine * dy - sine * dx) * radius
        let coverage = min(max(0.5 - distance, 0), 1)
        let shade =
          ground.slopeX * ((Double(x) + 0.5) / size - 0.5)
          + ground.slopeY * ((Double(y) + 0.5) / size - 0.5)
        for c in 0..<3 {
          let paper = min(max(ground.colour[c] + shade, 0), 1)
          let value = paper + (ink[c] - paper) * coverage
          destination[(c * side + y) * side + x] = UInt8(value * 255 + 0.5)
        }
      }
    }
  }

  private struct Ground {
    let colour: [Double]
    let slopeX: Double
    let slopeY: Double
  }

  /// Light or dark, faintly tinted; every second one is shaded from side to side.
  private func ground(_ generator: inout SplitMix64) -> Ground {
    let base =
      generator.below(2) == 0 ? generator.uniform(0.05...0.2) : generator.uniform(0.8...0.95)
    let colour = (0..<3).map { _ in base + generator.uniform(-0.05...0.05) }
    let isShaded = generator.below(2) == 0
    let slopeX = generator.uniform(-0.25...0.25)
    let slopeY = generator.uniform(-0.25...0.25)
    return Ground(colour: colour, slopeX: isShaded ? slopeX : 0, slopeY: isShaded ? slopeY : 0)
  }

  /// Shape, colour, and the generator that goes on with the rest.
  private func subject(_ index: Int) -> (kind: Int, colour: Int, generator: SplitMix64) {
    var generator = SplitMix64(seed, split == .train ? 0 : 1, UInt64(index))
    let kind = generator.below(ShapeKind.allCases.count)
    let colour = generator.below(Self.palette.count)
    return (kind, colour, generator)
  }
}
