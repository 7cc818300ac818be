import Torch

extension TextToImagePipeline {
  /// A rough picture of latents `[N, C, h, w]` without the decoder's work, `[N, 3, h, w]` in [0, 1].
  ///
  /// A latent's colour is nearly linear in its channels: the first call asks the decoder for the
  /// colours of random latents and fits them, once a pipeline.
  public func preview(of latents: Tensor) -> Tensor {
    withoutGradients { latentColours(latents).clamped(min: 0, max: 1) }
  }

  /// The colours that fit best what the decoder makes of random latents, in patches of one latent.
  func measuredColours() -> LatentColours {
    let (side, patch) = (8, 2)
    let latents = Tensor.randn(
      [1 + latentChannels / 8, latentChannels, side, side], using: Generator(seed: 0))
    let pictures = pictures(of: latents.interpolated(to: Extent(side * patch)).to(device))
    return LatentColours(fitting: latents, to: pictures)
  }
}

/// The colours of latents, linear in their channels.
struct LatentColours {
  /// What each channel adds, `[C, 3]`.
  let slopes: Tensor
  /// The colour of latents of zeros, `[3]`.
  let middle: Tensor

  /// Those that are nearest to `pictures` `[N, 3, H, W]` of `latents` `[N, C, h, w]` in the least
  /// squares, a picture's part for a latent.
  init(fitting latents: Tensor, to pictures: Tensor) {
    let colours = pictures.adaptiveAvgPool2d(Extent(latents.size(2), latents.size(3)))
    let given = Self.rows(latents.to(.cpu))
    let design = Tensor.concatenated([given, .ones([given.size(0), 1])], 1)
    let square = design.transposed(0, 1)
    let fit = square.matmul(design).solve(square.matmul(Self.rows(colours.to(.cpu))))
    slopes = fit[0..<latents.size(1)]
    middle = fit[latents.size(1)]
  }

  /// The colours `[N, 3, h, w]` of latents `[N, C, h, w]`, beyond [0, 1] too.
  func callAsFunction(_ latents: Tensor) -> Tensor {
    let rows = Self.rows(latents.to(.float32))
    let colours = rows.matmul(slopes.to(latents.device)) + middle.to(latents.device)
    return colours.reshaped([latents.size(0), latents.size(2), latents.size(3), 3])
      .permuted([0, 3, 1, 2])
  }

  /// A row a pixel.
  private static func rows(_ x: Tensor) -> Tensor {
    x.permuted([0, 2, 3, 1]).reshaped([-1, x.size(1)])
  }
}
