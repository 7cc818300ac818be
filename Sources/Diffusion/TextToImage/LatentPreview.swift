import Torch

extension TextToImagePipeline {
  /// A rough picture of latents `[N, C, h, w]` without the decoder's work, `[N, 3, h, w]` in [0, 1].
  ///
  /// A latent's colour is nearly linear in its channels: the first call asks the decoder for the
  /// colours of random latents and fits them, once a pipeline.
  public func preview(of latents: Tensor) -> Tensor {
    withoutGradients {
      let colours = latentColours
      let (n, c, h, w) = (latents.size(0), latents.size(1), latents.size(2), latents.size(3))
      let rows = latents.to(.float32).permuted([0, 2, 3, 1]).reshaped([n * h * w, c])
      let rgb = rows.to(colours.slopes.device).matmul(colours.slopes) + colours.middle
      return rgb.reshaped([n, h, w, 3]).permuted([0, 3, 1, 2]).clamped(min: 0, max: 1)
    }
  }

  /// The colours of latents by their channels.
  struct LatentColours {
    /// What each channel adds, `[C, 3]`.
    let slopes: Tensor
    /// The colour of latents of zeros, `[3]`.
    let middle: Tensor
  }

  /// The colours that fit best what the decoder makes of random latents: least squares over patches of
  /// one latent each.
  func measuredColours() -> LatentColours {
    let (channels, side, patch) = (latentChannels, 8, 2)
    let count = 1 + channels / 8
    let drawn = Tensor.randn([count, channels, side, side], using: Generator(seed: 0))
    let latents = drawn.to(device).interpolated(to: Extent(side * patch))
    let pictures = pictures(of: latents)
    func rows(_ x: Tensor) -> Tensor {
      x.to(.cpu).permuted([0, 2, 3, 1]).reshaped([count * side * side, -1])
    }
    let colours = rows(pictures.adaptiveAvgPool2d(Extent(side)))
    let given = rows(drawn)
    let design = Tensor.concatenated([given, .ones([given.size(0), 1])], 1)
    let square = design.transposed(0, 1)
    let fit = square.matmul(design).solve(square.matmul(colours))
    return LatentColours(
      slopes: fit[0..<channels].to(device), middle: fit[channels].to(device))
  }
}
