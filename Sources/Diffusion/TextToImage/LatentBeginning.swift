import Models
import Torch

/// Where a request's denoising starts: at noise, or at its picture brought to a noise level, of which
/// a mask lets a part stay. Noise is drawn in the order in which diffusers draws it.
struct LatentBeginning {
  /// The start of some of the pictures.
  struct Start {
    /// `[N, C, h, w]`, as `Denoising` takes them.
    let latents: Tensor
    /// The index where it starts; `nil` for noise.
    var first: Int?
    /// What the U-Net sees beside the latents: mask and masked picture, `[N, 1 + C, h, w]`.
    var beside: Tensor?
    /// What a step's sample becomes where a part of the picture stays.
    var changed: ((_ sample: Tensor, _ next: Int) -> Tensor)?
  }

  /// A picture that something is made of.
  private struct Source {
    /// What the encoder says of it; `nil` where nothing of it is kept.
    let posterior: DiagonalGaussian?
    /// The index of the first step; `nil` where it begins at noise.
    let first: Int?
    let painting: Painting?
  }

  /// The part of a picture that is made anew.
  private struct Painting {
    /// 1 where it is, `[1, 1, h, w]`.
    let mask: Tensor
    /// The picture without it, where the U-Net sees it.
    let rest: DiagonalGaussian?
  }

  private let pipeline: TextToImagePipeline
  private let sampler: any Sampler
  private let given: Tensor?
  private let shape: [Int]
  private let source: Source?

  /// The beginning of a request in which `problem(with:)` found nothing, with latents of a size.
  ///
  /// Throws `SamplerError` where no step is left.
  init(
    _ request: TextToImagePipeline.Request, of pipeline: TextToImagePipeline,
    _ sampler: any Sampler, size: Extent
  ) throws(SamplerError) {
    self.pipeline = pipeline
    self.sampler = sampler
    given = request.latents?.to(.float32).to(pipeline.device)
    shape = [pipeline.latentChannels, size.height, size.width]
    guard let start = request.start else {
      source = nil
      return
    }
    let steps = pipeline.stepCount(of: request)
    let done = min(Int(Double(steps) * start.strength), steps)
    let first = (steps - done) * sampler.callsPerStep
    guard done > 0, sampler.timesteps.indices.contains(first) else {
      throw SamplerError(
        "a strength of \(start.strength) leaves none of \(steps) steps; choose a larger strength "
          + "or more steps.")
    }
    let picture = 2 * start.picture.to(pipeline.device) - 1
    guard let mask = start.mask?.to(pipeline.device) else {
      source = Source(
        posterior: pipeline.autoencoder.encode(picture), first: first, painting: nil)
      return
    }
    let isAnew = (mask .>= 0.5).to(.float32)
    let isSeen = pipeline.isForInpainting
    let painting = Painting(
      mask: isAnew.interpolated(to: size),
      rest: isSeen ? pipeline.autoencoder.encode(picture * (1 - isAnew)) : nil)
    // With all steps before it, painting begins at noise; then a U-Net that sees what stays has no
    // need of the whole picture.
    let isFromNoise = start.strength == 1
    source = Source(
      posterior: isSeen && isFromNoise ? nil : pipeline.autoencoder.encode(picture),
      first: isFromNoise ? nil : first, painting: painting)
  }

  /// The start of the pictures in `range`, whose noise `generators` draw.
  func start(of range: Range<Int>, drawing generators: NoiseSource) -> Start {
    let shape = [range.count] + shape
    func drawn() -> Tensor { generators.draw(shape, device: pipeline.device) }
    func latents(_ posterior: DiagonalGaussian) -> Tensor {
      pipeline.autoencoder.normalized(posterior.sample(noise: drawn()))
    }
    func start() -> Tensor { given?[range] ?? drawn() }
    guard let source else { return Start(latents: start()) }
    let picture = source.posterior.map(latents)
    let noise = start()
    var result = Start(latents: noise)
    if let picture, let first = source.first {
      result = Start(latents: sampler.noised(picture, noise: noise, at: first), first: first)
    }
    guard let painting = source.painting else { return result }
    if let rest = painting.rest {
      let mask = painting.mask.expanded([range.count, -1, -1, -1])
      result.beside = .concatenated([mask, latents(rest)], 1)
    } else if let picture {
      _ = drawn()  // diffusers encodes the masked picture here too.
      result.changed = { [sampler, mask = painting.mask] sample, next in
        let kept =
          next < sampler.timesteps.count
          ? sampler.noised(picture, noise: noise, at: next) : picture
        return (1 - mask) * kept + mask * sample
      }
    }
    return result
  }
}
