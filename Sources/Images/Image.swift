/// A picture of 8-bit samples in memory: grey, RGB or RGBA, rows from top to bottom.
///
/// Colours are what the file stores, taken as sRGB; colour profiles and gamma are ignored, as the
/// tools that make training sets do. Alpha is not premultiplied.
public struct Image: Sendable, Equatable {
  /// The most pixels that are read from a file or drawn (134 million, 400 MB as RGB).
  public static let maximumPixelCount = 1 << 27

  /// The number of columns, at least 1.
  public let width: Int
  /// The number of rows, at least 1.
  public let height: Int
  /// The samples of a pixel: 1 grey, 3 RGB, 4 RGBA.
  public let channels: Int
  /// The samples, interleaved: `pixels[(y * width + x) * channels + c]`.
  public var pixels: [UInt8] {
    didSet { precondition(pixels.count == width * height * channels, "the sample count changed") }
  }

  /// Makes a picture of given samples.
  ///
  /// - Precondition: sides are positive, `channels` is 1, 3 or 4, and there are
  ///   `width * height * channels` samples.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "a picture has at least one pixel")
    precondition([1, 3, 4].contains(channels), "a picture has 1, 3 or 4 channels, not \(channels)")
    precondition(
      pixels.count == width * height * channels,
      "\(pixels.count) samples for \(width) × \(height) × \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Makes a picture of one colour, a byte a channel.
  public init(width: Int, height: Int, filledWith colour: [UInt8]) {
    precondition(width > 0 && height > 0, "a picture has at least one pixel")
    var pixels = [UInt8](repeating: colour[0], count: width * height * colour.count)
    if colour.contains(where: { $0 != colour[0] }) {
      for index in pixels.indices { pixels[index] = colour[index % colour.count] }
    }
    self.init(width: width, height: height, channels: colour.count, pixels: pixels)
  }

  /// The samples of the pixel at column `x`, row `y`.
  public subscript(x: Int, y: Int) -> [UInt8] {
    precondition(x >= 0 && x < width && y >= 0 && y < height, "the pixel is outside the picture")
    let start = (y * width + x) * channels
    return Array(pixels[start..<start + channels])
  }
}
