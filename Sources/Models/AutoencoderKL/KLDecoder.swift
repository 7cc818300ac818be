import NeuralNets
import Torch

/// The decoder of a KL autoencoder: levels of residual blocks from latents up to pictures.
final class KLDecoder: Module {
  let convIn: Conv2d
  let upBlocks: [UpBlock]
  let midBlock: MidBlock
  let convNormOut: GroupNorm
  let convOut: Conv2d

  init(_ config: AutoencoderKLConfig, using generator: Generator?) {
    let widths = Array(config.blockOutChannels.reversed())
    let last = widths.count - 1
    let style = config.style
    convIn = Conv2d(config.latentChannels, widths[0], kernel: 3, padding: 1, using: generator)
    midBlock = config.midBlock(style, using: generator)
    upBlocks = widths.indices.map { level in
      UpBlock(
        config.upInputs(level), widths[level], style, upsampling: level < last ? .conv : nil,
        using: generator)
    }
    convNormOut = GroupNorm(groups: style.groups, channels: widths[last], eps: style.eps)
    convOut = Conv2d(widths[last], config.outChannels, kernel: 3, padding: 1, using: generator)
  }

  /// `[N, latent, H, W]` to `[N, out, scale · H, scale · W]`.
  func callAsFunction(_ z: Tensor) -> Tensor {
    var h = midBlock(convIn(z))
    for block in upBlocks {
      h = block(h)
      // What a level needs is larger than the holes that the one before leaves in memory.
      if !isRecordingGradients, h.device == .cpu, h.count / h.size(0) >= 1 << 22 {
        Runtime.trimAllocator()
      }
    }
    return convOut(convNormOut(h, then: .silu))
  }
}
