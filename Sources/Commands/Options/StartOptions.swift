import ArgumentParser
import Diffusion
import Foundation
import Images
import Interchange
import Torch

/// The picture that a generation starts from.
struct StartOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A picture to start from instead of noise.", valueName: "file"))
  var image: String?

  @Option(
    help: ArgumentHelp(
      "How much of --image is drawn anew, 0...1 (default: 0.8; with --mask 1).", valueName: "s"))
  var strength: Double?

  @Option(
    help: ArgumentHelp(
      "A picture as large as --image: what is white there is painted anew, what is black stays.",
      valueName: "file"))
  var mask: String?

  @Flag(help: "Draw variations of --image, without a prompt.")
  var variations = false

  mutating func validate() throws {
    if let strength, !(0...1).contains(strength) {
      throw ValidationError("--strength is \(strength); it must lie in 0...1.")
    }
  }
}

/// The files of a generation that starts from a picture.
struct StartFiles {
  var image: String
  var mask: String?
  var strength: Double?

  /// The strength, where nothing was said too.
  var usedStrength: Double { strength ?? (mask == nil ? 0.8 : 1) }
}

/// A picture to start from, and what of it is to be painted anew.
struct StartPicture {
  private let image: Image
  private let mask: Image?
  private let path: String

  /// Reads the files. Throws where they are no pictures, or of two sizes.
  init(_ files: StartFiles) throws {
    path = files.image
    image = try Image(contentsOfFile: files.image).converted(toChannels: 3)
    mask = try files.mask.map { try Image(contentsOfFile: $0).converted(toChannels: 1) }
    if let mask, let path = files.mask, (mask.width, mask.height) != (image.width, image.height) {
      throw CommandError(
        "\(path): the mask has \(mask.width)×\(mask.height) pixels, but \(files.image) has "
          + "\(image.width)×\(image.height); make them the same size")
    }
  }

  /// The size in which a model draws it, and what to say about that.
  ///
  /// Without a wish it is the picture's own, in multiples of `scale`, as in diffusers. A picture of
  /// more than four times the pixels that the model was made for is brought to about as many; a
  /// model that `keepsSize` draws in its own size alone.
  func extent(
    width: Int?, height: Int?, own: Extent?, scale: Int, keepsSize: Bool
  ) -> (extent: Extent, note: String?) {
    if keepsSize || width != nil || height != nil, let own {
      return (Extent(height ?? own.height, width ?? own.width), nil)
    }
    func fitted(_ side: Double) -> Int { max(Int(side) / scale * scale, scale) }
    var extent = Extent(
      height ?? fitted(Double(image.height)), width ?? fitted(Double(image.width)))
    guard let own, extent.width * extent.height > 4 * own.width * own.height else {
      return (extent, nil)
    }
    let share = Double(own.width * own.height) / Double(image.width * image.height)
    extent = Extent(
      fitted(Double(image.height) * share.squareRoot()),
      fitted(Double(image.width) * share.squareRoot()))
    return (
      extent,
      "\(path) is brought to \(extent.width)×\(extent.height), about what the model was made for; "
        + "--width and --height choose other sizes"
    )
  }

  /// The start of a generation of this size, which is in multiples of `scale`.
  func start(_ extent: Extent, scale: Int, strength: Double) -> TextToImagePipeline.Start {
    func fitted(_ image: Image) -> Tensor { image.filling(extent, grid: scale).tensor }
    return TextToImagePipeline.Start(
      picture: fitted(image), strength: strength, mask: mask.map(fitted))
  }
}

extension Image {
  /// The picture at a size: the middle that has its shape, scaled. Where only the grid's multiples
  /// are missed, all of it is scaled, as in diffusers.
  fileprivate func filling(_ extent: Extent, grid: Int) -> Image {
    let isRounded =
      (0..<grid).contains(width - extent.width) && (0..<grid).contains(height - extent.height)
    let scale = max(
      Double(extent.width) / Double(width), Double(extent.height) / Double(height))
    func kept(_ side: Int, of all: Int) -> Int {
      min(max(Int((Double(side) / scale).rounded()), 1), all)
    }
    let middle =
      isRounded
      ? self
      : centerCropped(
        width: kept(extent.width, of: width), height: kept(extent.height, of: height))
    return middle.resized(width: extent.width, height: extent.height, filter: .lanczos)
  }
}
