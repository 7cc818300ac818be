import NeuralNets
import Torch

/// A level of a U-Net on the way down: residual blocks, attention after each where the level has
/// it, and something that halves the picture unless the level is the last.
final class DownBlock: Module {
  let attentions: [AttentionBlock]
  let resnets: [ResnetBlock]
  let downsamplers: [any TimedLayer]

  init(_ config: UNetConfig, level: Int, _ style: ResnetBlock.Style, using generator: Generator?) {
    let type = config.downBlockTypes[level]
    let width = config.blockOutChannels[level]
    let above = config.blockOutChannels[max(level - 1, 0)]
    var attentions: [AttentionBlock] = []
    var resnets: [ResnetBlock] = []
    for layer in 0..<config.layersPerBlock {
      resnets.append(ResnetBlock(layer == 0 ? above : width, width, style, using: generator))
      if type == .attention {
        attentions.append(config.attentionBlock(width, using: generator))
      }
    }
    self.attentions = attentions
    self.resnets = resnets
    downsamplers =
      switch config.downsampling(level) {
      case nil: []
      case .conv:
        [Downsample2D(width, width, padding: config.downsamplePadding, using: generator)]
      case .resnet: [ResnetBlock(width, width, style, .half, using: generator)]
      }
  }

  /// How many tensors the level gives.
  var outputCount: Int { resnets.count + downsamplers.count }

  /// Every layer's output, the level's own last: `[N, C, H, W]`, then half the size.
  func callAsFunction(_ x: Tensor, time: Tensor) -> [Tensor] {
    var outputs: [Tensor] = []
    var h = x
    for (layer, resnet) in resnets.enumerated() {
      h = resnet(h, time: time)
      if !attentions.isEmpty { h = attentions[layer](h) }
      outputs.append(h)
    }
    for downsampler in downsamplers {
      h = downsampler(h, time: time)
      outputs.append(h)
    }
    return outputs
  }
}

extension UNetConfig {
  /// The attention of a level with this many channels.
  func attentionBlock(_ channels: Int, using generator: Generator?) -> AttentionBlock {
    AttentionBlock(
      channels, heads: channels / (attentionHeadDim ?? channels), groups: normNumGroups,
      eps: normEps, using: generator)
  }
}
