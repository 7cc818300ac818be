import NeuralNets
import Torch

// The blocks that a configuration of `UNet2DCondition` asks for.

extension DownBlock {
  /// `level` counts from the largest picture.
  convenience init(
    _ config: UNetConditionConfig, level: Int, _ style: ResnetBlock.Style,
    using generator: Generator?
  ) {
    let attention = { (layer: Int) -> any SpatialAttention in
      config.transformer(
        level, layers: config.transformerLayersPerBlock[level][layer], using: generator)
    }
    self.init(
      config.blockOutChannels[max(level - 1, 0)], config.blockOutChannels[level],
      layers: config.layersPerBlock[level], style,
      downsampling: level < config.blockOutChannels.count - 1 ? .conv : nil,
      padding: config.downsamplePadding,
      attention: config.downBlockTypes[level] == .cross ? attention : nil, using: generator)
  }
}

extension UpBlock {
  /// `level` counts from the smallest picture.
  convenience init(
    _ config: UNetConditionConfig, level: Int, _ style: ResnetBlock.Style,
    using generator: Generator?
  ) {
    let mirrored = config.mirrored(level)
    let attention = { (layer: Int) -> any SpatialAttention in
      config.transformer(
        mirrored, layers: config.upTransformerLayers(level, layer: layer), using: generator)
    }
    self.init(
      config.upInputs(level), config.blockOutChannels[mirrored], style,
      upsampling: mirrored > 0 ? .conv : nil,
      attention: config.upBlockTypes[level] == .cross ? attention : nil, using: generator)
  }
}

extension MidBlock {
  convenience init(
    _ config: UNetConditionConfig, _ type: UNetConditionConfig.MidBlock,
    _ style: ResnetBlock.Style, using generator: Generator?
  ) {
    let last = config.blockOutChannels.count - 1
    var style = style
    style.outputScale = config.midBlockScaleFactor
    let attention = { (layer: Int) -> any SpatialAttention in
      config.transformer(
        last, layers: config.transformerLayersPerBlock[last][layer], onlyCross: false,
        using: generator)
    }
    self.init(
      config.blockOutChannels[last], layers: type == .cross ? 1 : 0, style,
      attention: type == .cross ? attention : nil, using: generator)
  }
}

extension UNetConditionConfig {
  /// `level` counts from the largest picture.
  fileprivate func transformer(
    _ level: Int, layers: Int, onlyCross: Bool? = nil, using generator: Generator?
  ) -> Transformer2D {
    Transformer2D(
      blockOutChannels[level], heads: attentionHeadDim[level], layers: layers,
      contextWidth: crossAttentionDim[level], groups: normNumGroups,
      isLinear: useLinearProjection, onlyCross: onlyCross ?? onlyCrossAttention[level],
      using: generator)
  }
}
