extension UNetConditionConfig {
  /// The number of weights of a network whose other numbers are in their ranges.
  var weightCount: Int {
    let last = blockOutChannels.count - 1
    var count = outerWeightCount
    for level in 0...last {
      let width = blockOutChannels[level]
      let above = blockOutChannels[max(level - 1, 0)]
      for layer in 0..<layersPerBlock[level] {
        count += resnet(layer == 0 ? above : width, width)
        if downBlockTypes[level] == .cross {
          count += transformer(level, layers: transformerLayersPerBlock[level][layer])
        }
      }
      if level < last { count += WeightCount.conv(width, width) }
    }
    if let midBlockType {
      let width = blockOutChannels[last]
      count += resnet(width, width)
      if midBlockType == .cross {
        count += resnet(width, width)
        count += transformer(
          last, layers: transformerLayersPerBlock[last][0], onlyCross: false)
      }
    }
    for level in 0...last {
      let width = blockOutChannels[mirrored(level)]
      for (layer, inputs) in upInputs(level).enumerated() {
        count += resnet(inputs, width)
        if upBlockTypes[level] == .cross {
          count += transformer(
            mirrored(level), layers: upTransformerLayers(level, layer: layer))
        }
      }
      if level < last { count += WeightCount.conv(width, width) }
    }
    return count
  }

  /// First and last convolution, and everything about the time.
  private var outerWeightCount: Int {
    let first = blockOutChannels[0]
    let projected = projectionClassEmbeddingsInputDim ?? 0
    var count =
      WeightCount.conv(inChannels, first, kernel: convInKernel) + WeightCount.norm(first)
      + WeightCount.conv(first, outChannels, kernel: convOutKernel)
      + WeightCount.timeLayers(first, timeWidth, conditionWidth: timeCondProjDim)
    switch classEmbedType {
    case .timestep: count += WeightCount.timeLayers(first, timeWidth)
    case .identity: break
    case .projection: count += WeightCount.timeLayers(projected, timeWidth)
    case .simpleProjection: count += WeightCount.linear(projected, timeWidth)
    case nil: count += (numClassEmbeds ?? 0) * timeWidth
    }
    if additionEmbedType == .textTime { count += WeightCount.timeLayers(projected, timeWidth) }
    return count
  }

  private func resnet(_ inputs: Int, _ outputs: Int) -> Int {
    WeightCount.resnet(inputs, outputs, timeWidth: timeWidth, resnetTimeScaleShift)
  }

  /// `level` counts from the largest picture.
  private func transformer(_ level: Int, layers: Int, onlyCross: Bool? = nil) -> Int {
    WeightCount.transformer(
      blockOutChannels[level], layers: layers, contextWidth: crossAttentionDim[level],
      onlyCross: onlyCross ?? onlyCrossAttention[level])
  }
}
