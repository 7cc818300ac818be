import Interchange
import Torch

extension TextToImagePipeline {
  static let sizeIsMissing = "the unet's config.json names no sample_size; give width and height"

  /// A side that no memory has room for.
  private static let largestSide = 65_536

  /// Why a request cannot be drawn, as one sentence without its full stop; `nil` when it can, as far
  /// as the sampler does not object.
  public func problem(with request: Request) -> String? {
    if request.count < 1 { return "a count of \(request.count) leaves nothing to draw" }
    if request.sampler?.isInverse == true {
      return "\(request.sampler?.rawValue ?? "") goes from a picture to its noise, and nothing is "
        + "drawn with it"
    }
    guard request.guidance.scale.isFinite, request.guidance.rescale.isFinite else {
      return "the guidance must be a number"
    }
    return startProblem(request) ?? sizeProblem(request) ?? memoryProblem(request)
      ?? clipSkipProblem(request)
  }

  /// Why the pictures do not fit into so many free bytes; by default those of this machine.
  func memoryProblem(_ request: Request, available: Int? = FreeMemory.bytes) -> String? {
    guard device == .cpu, let available, let size = extent(of: request) else { return nil }
    let latents = latentExtent(of: size)
    let halves = guidance(of: request).scale == 1 ? 1 : 2
    let rows = min(Self.batch(of: latents), request.count) * halves
    let need = DrawingMemory(unet.config, autoencoder.config, latents: latents, rows: rows).bytes
    guard need > available else { return nil }
    return "a picture of \(size.width)×\(size.height) needs about \(FreeMemory.gigabytes(need)) "
      + "to draw, and \(FreeMemory.gigabytes(available)) are free; choose a smaller one"
  }

  private func sizeProblem(_ request: Request) -> String? {
    guard let size = extent(of: request) else { return Self.sizeIsMissing }
    let scale = autoencoder.config.scale
    for (name, side) in [("height", size.height), ("width", size.width)] {
      if side > Self.largestSide { return "a \(name) of \(side) is more than \(Self.largestSide)" }
      if side < 1 || !side.isMultiple(of: scale) {
        let lower = max(side / scale * scale, scale)
        return "a \(name) of \(side) is no multiple of \(scale), the pixels that become one "
          + "latent; \(lower) or \(lower + scale) would do"
      }
    }
    let latents = latentExtent(of: size)
    if let problem = unet.config.problem(forHeight: latents.height, width: latents.width) {
      return "of latents, \(problem)"
    }
    let shape = [request.count, latentChannels, latents.height, latents.width]
    if let given = request.latents, given.shape != shape {
      return "the starting noise is \(given.shape), but \(shape) is needed"
    }
    return nil
  }

  private func startProblem(_ request: Request) -> String? {
    guard let start = request.start else {
      return isForInpainting
        ? "this unet was trained to fill in pictures; it needs one to start from and a mask" : nil
    }
    guard start.picture.rank == 4, start.picture.size(0) == 1, start.picture.size(1) == 3 else {
      return "the picture to start from is \(start.picture.shape), but [1, 3, height, width] is "
        + "needed"
    }
    let (height, width) = (start.picture.size(2), start.picture.size(3))
    if let size = request.size, size != Extent(height, width) {
      return "the picture to start from is \(width)×\(height), but \(size.width)×\(size.height) is "
        + "asked for"
    }
    guard start.strength > 0, start.strength <= 1 else {
      return "a strength of \(start.strength) must lie above 0 and be 1 at most"
    }
    guard let mask = start.mask else {
      return isForInpainting
        ? "this unet was trained to fill in pictures; it needs a mask beside the picture" : nil
    }
    guard mask.rank == 4, mask.size(0) == 1, mask.size(1) == 1 else {
      return "the mask is \(mask.shape), but [1, 1, height, width] is needed"
    }
    return mask.shape.suffix(2) == [height, width]
      ? nil
      : "the mask is \(mask.size(3))×\(mask.size(2)), but the picture \(width)×\(height); make both "
        + "of one size"
  }

  private func clipSkipProblem(_ request: Request) -> String? {
    // XL begins before the last layer.
    let skipped = request.clipSkip + (kind == .stableDiffusionXL ? 1 : 0)
    guard request.clipSkip >= 0 else {
      return "a clip skip of \(request.clipSkip) is negative"
    }
    return encoders.lazy.compactMap { $0.model.config.problem(forSkipping: skipped) }.first
  }
}
