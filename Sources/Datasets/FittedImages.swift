import Images

/// Another set's pictures at another size or with another number of channels, made when asked for.
///
/// The shorter side is resized to the new size (bicubic, antialiased) and the middle is kept.
public struct FittedImages: Dataset {
  private let base: any Dataset
  /// `[C, H, W]`.
  public let elementShape: [Int]

  /// Fits the pictures of `base` to `side` pixels and `channels` (1 grey, 3 RGB); nil keeps what
  /// they have.
  ///
  /// - Precondition: `base` holds pictures as bytes.
  public init(_ base: any Dataset, side: Int?, channels: Int?) {
    precondition(
      base.elementShape.count == 3 && base.elementKind == .bytes, "not a set of pictures")
    self.base = base
    let shape = base.elementShape
    elementShape = [channels ?? shape[0], side ?? shape[1], side ?? shape[2]]
  }

  /// The name of the set behind.
  public var name: String { base.name }
  /// The number of pictures.
  public var count: Int { base.count }
  /// Always bytes.
  public var elementKind: ElementKind { .bytes }
  /// The names of the labels, or nil when there are none.
  public var classNames: [String]? { base.classNames }
  /// The fingerprint of the set behind; the fit is a setting, not data.
  public var fingerprint: String { base.fingerprint }
  /// The notes of the set behind.
  public var notes: [String] { base.notes }

  /// Fits and copies one picture.
  ///
  /// - Throws: What the set behind throws.
  public func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws {
    if base.elementShape == elementShape {
      return try base.copyElement(at: index, into: destination)
    }
    let from = base.elementShape
    let samples = try [UInt8](unsafeUninitializedCapacity: base.elementByteCount) {
      try base.copyElement(at: index, into: UnsafeMutableRawBufferPointer($0))
      $1 = base.elementByteCount
    }
    let image = Image(planar: samples, width: from[2], height: from[1], channels: from[0])
    destination.copyBytes(
      from: fitted(image, side: elementShape[1], channels: elementShape[0]).planar())
  }

  /// The class of a picture.
  public func label(at index: Int) -> Int? { base.label(at: index) }
  /// The text of a picture.
  public func caption(at index: Int) -> String? { base.caption(at: index) }
  /// Every text of a picture.
  public func captions(at index: Int) -> [String] { base.captions(at: index) }
}

/// A picture with `channels`, its shorter side resized to `side` and the middle kept.
func fitted(_ image: Image, side: Int?, channels: Int) -> Image {
  let coloured = image.converted(toChannels: channels)
  guard let side, image.width != side || image.height != side else { return coloured }
  return coloured.resizedAndCropped(toSide: side)
}
