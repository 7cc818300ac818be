/// An opaque sRGB colour.
public struct Colour: Sendable, Hashable {
  /// The red sample, 0...255.
  public var red: UInt8
  /// The green sample, 0...255.
  public var green: UInt8
  /// The blue sample, 0...255.
  public var blue: UInt8

  /// Makes a colour of its three samples.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// Makes a colour of a number such as `0x3f90da`.
  public init(hex: UInt32) {
    self.init(
      red: UInt8(hex >> 16 & 255), green: UInt8(hex >> 8 & 255), blue: UInt8(hex & 255))
  }

  /// Paper.
  public static let white = Colour(hex: 0xffffff)
  /// Headings.
  public static let ink = Colour(hex: 0x1b1f24)
  /// Labels and notes.
  public static let slate = Colour(hex: 0x57606a)
  /// Axes.
  public static let silver = Colour(hex: 0xafb8c1)
  /// Grid lines.
  public static let mist = Colour(hex: 0xe6e9ed)

  /// Ten colours for classes and series, told apart with any common colour blindness.
  ///
  /// M. A. Petroff, "Accessible Color Sequences for Data Visualization", arXiv 2107.02270.
  public static let categories: [Colour] = [
    0x3f90da, 0xffa90e, 0xbd1f01, 0x94a4a2, 0x832db6, 0xa96b59, 0xe76300, 0xb9ac70, 0x717581,
    0x92dadd,
  ].map(Colour.init(hex:))

  /// The colour of class or series `index`; the ten repeat.
  public static func category(_ index: Int) -> Colour {
    let count = categories.count
    return categories[((index % count) + count) % count]
  }

  /// The viridis map at a position in 0...1 (clamped), from dark violet to yellow.
  ///
  /// Between 11 values of the map of van der Walt and Smith the colours are interpolated.
  public static func viridis(_ position: Double) -> Colour {
    let anchors = viridisAnchors
    let place = (position > 0 ? min(position, 1) : 0) * Double(anchors.count - 1)
    let index = min(Int(place), anchors.count - 2)
    return anchors[index].mixed(with: anchors[index + 1], amount: place - Double(index))
  }

  private static let viridisAnchors: [Colour] = [
    0x440154, 0x482576, 0x414487, 0x35608d, 0x2a788e, 0x21908c, 0x22a884, 0x43bf71, 0x7ad151,
    0xbbdf27, 0xfde725,
  ].map(Colour.init(hex:))

  /// The colour `amount` (0...1) of the way to another.
  public func mixed(with other: Colour, amount: Double) -> Colour {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) + (Double(b) - Double(a)) * min(max(amount, 0), 1)).rounded())
    }
    return Colour(
      red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
  }
}
