import NeuralNets
import Torch

/// The autoencoder whose latents a latent diffusion model draws (Rombach et al. 2022, §3.1 and
/// appendix E), equal to diffusers' `AutoencoderKL`.
///
/// Limitation: levels are plain ones (attention stands in the middle alone).
public final class AutoencoderKL: Module {
  let encoder: KLEncoder
  let decoder: KLDecoder
  let quantConv: Conv2d?
  let postQuantConv: Conv2d?
  /// The network's shape.
  public let config: AutoencoderKLConfig

  /// The weight of the layer that gives the decoded pictures, where an adversarial training compares
  /// its gradients.
  public var lastLayer: Parameter { decoder.convOut.weight }

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  ///
  /// The weights are drawn in the order in which diffusers builds its network: equal seeds, equal
  /// weights.
  public init(_ config: AutoencoderKLConfig, using generator: Generator?) {
    let latents = config.latentChannels
    encoder = KLEncoder(config, using: generator)
    decoder = KLDecoder(config, using: generator)
    quantConv =
      config.useQuantConv
      ? Conv2d(2 * latents, 2 * latents, kernel: 1, using: generator) : nil
    postQuantConv =
      config.usePostQuantConv ? Conv2d(latents, latents, kernel: 1, using: generator) : nil
    self.config = config
  }

  /// The posterior q(z | x) of pictures `[N, in, H, W]`: means and log-variances
  /// `[N, latent, H / scale, W / scale]`, the latter held within −30…20.
  ///
  /// With a tiling, pictures larger than a tile are encoded tile by tile, in memory that does not
  /// grow with them; the result differs a little. `oneByOne` does the same with a batch, without a
  /// difference. Sizes that `config.problem(forHeight:)` and tilings that `Tiling.problem` refuses
  /// are mistakes of the program.
  public func encode(
    _ x: Tensor, tiling: Tiling? = nil, oneByOne: Bool = false
  ) -> DiagonalGaussian {
    let problem = config.problem(forHeight: x.size(2), width: x.size(3))
    precondition(problem == nil, problem ?? "")
    let parts = each(x, oneByOne) { x in
      guard let tiling, tiling.sampleSize < max(x.size(2), x.size(3)) else { return moments(x) }
      return tiling.encoded(x, scale: config.scale, moments)
    }.chunked(2, 1)
    return DiagonalGaussian(mean: parts[0], logVariance: parts[1].clamped(min: -30.0, max: 20.0))
  }

  /// The pictures `[N, out, scale · H, scale · W]` of latents `[N, latent, H, W]`, about −1…1.
  ///
  /// Tiling and `oneByOne` as in `encode`.
  public func decode(_ z: Tensor, tiling: Tiling? = nil, oneByOne: Bool = false) -> Tensor {
    each(z, oneByOne) { z in
      guard let tiling, tiling.latentSize < max(z.size(2), z.size(3)) else { return pictures(z) }
      return tiling.decoded(z, scale: config.scale, pictures)
    }
  }

  /// Means and log-variances, one after the other.
  private func moments(_ x: Tensor) -> Tensor {
    let h = encoder(x.to(dtype).contiguous(Self.memoryFormat))
    return (quantConv?(h) ?? h).inFullPrecision
  }

  private func pictures(_ z: Tensor) -> Tensor {
    let h = z.to(dtype).contiguous(Self.memoryFormat)
    return decoder(postQuantConv?(h) ?? h).inFullPrecision
  }

  /// The type of the weights, and so of what is computed.
  private var dtype: DType { decoder.convIn.weight.dtype }

  private func each(_ x: Tensor, _ oneByOne: Bool, _ body: (Tensor) -> Tensor) -> Tensor {
    guard oneByOne, x.size(0) > 1 else { return body(x) }
    return .concatenated((0..<x.size(0)).map { body(x[$0..<$0 + 1]) }, 0)
  }

  /// How pictures lie in memory before the first convolution; layers keep what they are given.
  private static let memoryFormat = MemoryFormat.channelsLast
}

// MARK: - Between the autoencoder and a diffusion model

extension AutoencoderKL {
  /// Latents as a diffusion model sees them: about unit variance.
  public func normalized(_ z: Tensor) -> Tensor {
    if let (mean, deviation) = statistics(like: z) {
      return (z - mean) * (config.scalingFactor / deviation)
    }
    return (z - (config.shiftFactor ?? 0)) * config.scalingFactor
  }

  /// The inverse of `normalized`: latents that `decode` takes.
  public func denormalized(_ z: Tensor) -> Tensor {
    if let (mean, deviation) = statistics(like: z) {
      return z * (deviation / config.scalingFactor) + mean
    }
    return z / config.scalingFactor + (config.shiftFactor ?? 0)
  }

  /// Mean and standard deviation of each channel, `[1, latent, 1, 1]`.
  private func statistics(like z: Tensor) -> (mean: Tensor, deviation: Tensor)? {
    guard let mean = config.latentsMean, let deviation = config.latentsStd else { return nil }
    func tensor(_ values: [Double]) -> Tensor {
      Tensor(values.map(Float.init), shape: [1, values.count, 1, 1]).to(z.device).to(z.dtype)
    }
    return (tensor(mean), tensor(deviation))
  }
}
