import NeuralNets
import Torch

// The blocks that a configuration of `UNet2D` asks for.

extension DownBlock {
  /// `level` counts from the largest picture.
  convenience init(
    _ config: UNetConfig, level: Int, _ style: ResnetBlock.Style, using generator: Generator?
  ) {
    let width = config.blockOutChannels[level]
    let attention = config.attention(width, using: generator)
    self.init(
      config.blockOutChannels[max(level - 1, 0)], width, layers: config.layersPerBlock, style,
      downsampling: config.downsampling(level), padding: config.downsamplePadding,
      attention: config.downBlockTypes[level] == .attention ? attention : nil, using: generator)
  }
}

extension UpBlock {
  /// `level` counts from the smallest picture.
  convenience init(
    _ config: UNetConfig, level: Int, _ style: ResnetBlock.Style, using generator: Generator?
  ) {
    let width = config.blockOutChannels[config.blockOutChannels.count - 1 - level]
    let attention = config.attention(width, using: generator)
    self.init(
      config.upInputs(level).map { $0.below + $0.skip }, width, style,
      upsampling: config.upsampling(level),
      attention: config.upBlockTypes[level] == .attention ? attention : nil, using: generator)
  }
}

extension MidBlock {
  convenience init(
    _ config: UNetConfig, _ style: ResnetBlock.Style, using generator: Generator?
  ) {
    let width = config.blockOutChannels[config.blockOutChannels.count - 1]
    var style = style
    style.outputScale = config.midBlockScaleFactor
    let groups =
      config.attnNormNumGroups
      ?? (config.resnetTimeScaleShift == .shift ? config.normNumGroups : nil)
    let attention = { (_: Int) -> any SpatialAttention in
      AttentionBlock(
        width, heads: config.heads(of: width), groups: groups, eps: config.normEps,
        outputScale: config.midBlockScaleFactor, using: generator)
    }
    self.init(width, style, attention: config.addAttention ? attention : nil, using: generator)
  }
}

extension UNetConfig {
  /// What makes the attention of a level with this many channels.
  fileprivate func attention(
    _ channels: Int, using generator: Generator?
  ) -> (Int) -> any SpatialAttention {
    { _ in
      AttentionBlock(
        channels, heads: heads(of: channels), groups: normNumGroups, eps: normEps,
        using: generator)
    }
  }

  fileprivate func heads(of channels: Int) -> Int { channels / (attentionHeadDim ?? channels) }
}
