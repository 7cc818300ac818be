import Torch

extension TextToImagePipeline {
  /// A rough picture of latents `[N, C, h, w]` without the decoder's work, `[N, 3, h, w]` in [0, 1].
  ///
  /// A latent's colour is nearly linear in its channels: the first call asks the decoder for the
  /// colours that a step up and a step down in each channel make, once a pipeline.
  public func preview(of latents: Tensor) -> Tensor {
    withoutGradients {
      let colours = latentColours
      let (n, c, h, w) = (latents.size(0), latents.size(1), latents.size(2), latents.size(3))
      let rows = latents.to(.float32).permuted([0, 2, 3, 1]).reshaped([n * h * w, c])
      let rgb = rows.to(colours.slopes.device).matmul(colours.slopes) + colours.middle
      return DiffusionPipeline.pictures(rgb.reshaped([n, h, w, 3]).permuted([0, 3, 1, 2]))
    }
  }

  /// The colours about −1…1 of latents by their channels.
  struct LatentColours {
    /// What each channel adds, `[C, 3]`.
    let slopes: Tensor
    /// The colour of latents of zeros, `[3]`.
    let middle: Tensor
  }

  /// The colours that the decoder gives.
  func measuredColours() -> LatentColours {
    let (channels, side) = (latentChannels, 4)
    let up = (Tensor.arange(channels).unsqueezed(1) .== Tensor.arange(channels)).to(.float32)
    let steps = Tensor.concatenated([up, -1 * up]).to(device)
    let latents = steps.reshaped([2 * channels, channels, 1, 1]).expanded([-1, -1, side, side])
    let colours = autoencoder.decode(autoencoder.denormalized(latents), oneByOne: true)
      .mean([2, 3])
    let (above, below) = (colours[0..<channels], colours[channels..<2 * channels])
    return LatentColours(slopes: (above - below) / 2, middle: colours.mean([0]))
  }
}
