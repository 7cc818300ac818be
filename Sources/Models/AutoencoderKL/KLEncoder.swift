import NeuralNets
import Torch

/// The encoder of a KL autoencoder: levels of residual blocks down to one small picture, whose
/// channels are means and log-variances.
final class KLEncoder: Module {
  let convIn: Conv2d
  let downBlocks: [DownBlock]
  let midBlock: MidBlock
  let convNormOut: GroupNorm
  let convOut: Conv2d

  init(_ config: AutoencoderKLConfig, using generator: Generator?) {
    let widths = config.blockOutChannels
    let last = widths.count - 1
    let style = config.style
    convIn = Conv2d(config.inChannels, widths[0], kernel: 3, padding: 1, using: generator)
    downBlocks = widths.indices.map { level in
      DownBlock(
        widths[max(level - 1, 0)], widths[level], layers: config.layersPerBlock, style,
        downsampling: level < last ? .conv : nil, padding: 0, using: generator)
    }
    midBlock = config.midBlock(style, using: generator)
    convNormOut = GroupNorm(groups: style.groups, channels: widths[last], eps: style.eps)
    convOut = Conv2d(
      widths[last], 2 * config.latentChannels, kernel: 3, padding: 1, using: generator)
  }

  /// `[N, in, H, W]` to `[N, 2 · latent, ⌊H / scale⌋, ⌊W / scale⌋]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = downBlocks.reduce(convIn(x)) { $1($0) }
    return convOut(convNormOut(midBlock(h), then: .silu))
  }
}

extension AutoencoderKLConfig {
  /// What all residual blocks share.
  var style: ResnetBlock.Style {
    ResnetBlock.Style(groups: normNumGroups, eps: 1e-6, activation: actFn.activation)
  }

  /// The blocks where the picture is smallest; their attention has one head.
  func midBlock(_ style: ResnetBlock.Style, using generator: Generator?) -> MidBlock {
    let width = blockOutChannels[blockOutChannels.count - 1]
    let attention = { (_: Int) -> any SpatialAttention in
      AttentionBlock(width, heads: 1, groups: style.groups, eps: style.eps, using: generator)
    }
    return MidBlock(
      width, style, attention: midBlockAddAttention ? attention : nil, using: generator)
  }
}
