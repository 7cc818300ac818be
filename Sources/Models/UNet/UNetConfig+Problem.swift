extension UNetConfig {
  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  ///
  /// Call it on every configuration that a person or a file supplied: the network trusts its own.
  public var problem: String? {
    levelProblem ?? numberProblem ?? groupProblem ?? embeddingProblem
      ?? ConfigCheck.weights(weightCount)
  }

  private var levelProblem: String? {
    ConfigCheck.levels(
      blockOutChannels,
      ["down_block_types": downBlockTypes.count, "up_block_types": upBlockTypes.count])
  }

  private var numberProblem: String? {
    ConfigCheck.first([
      ConfigCheck.range("in_channels", inChannels, 1...8192),
      ConfigCheck.range("out_channels", outChannels, 1...8192),
      ConfigCheck.range("layers_per_block", layersPerBlock, 1...64),
      ConfigCheck.range("downsample_padding", downsamplePadding, 0...1),
      ConfigCheck.chance("dropout", dropout),
      ConfigCheck.notNegative("norm_eps", normEps),
      ConfigCheck.divisor("mid_block_scale_factor", midBlockScaleFactor),
      ConfigCheck.pictureSize(sampleSize),
    ])
  }

  private var groupProblem: String? {
    if let problem = ConfigCheck.divides("norm_num_groups", normNumGroups, blockOutChannels) {
      return problem
    }
    let hasMidAttention = midBlockType != nil && addAttention
    var attending = zip(downBlockTypes, blockOutChannels).filter { $0.0 == .attention }.map(\.1)
    attending += zip(upBlockTypes, blockOutChannels.reversed()).filter { $0.0 == .attention }
      .map(\.1)
    if hasMidAttention, let last = blockOutChannels.last {
      attending.append(last)
      if let attnNormNumGroups,
        let problem = ConfigCheck.divides("attn_norm_num_groups", attnNormNumGroups, last)
      {
        return problem
      }
    }
    guard let attentionHeadDim else { return nil }
    return ConfigCheck.divides("attention_head_dim", attentionHeadDim, attending)
  }

  private var embeddingProblem: String? {
    if let problem = timeEmbeddingDim.flatMap({
      ConfigCheck.range("time_embedding_dim", $0, 0...65_536)
    })
      ?? numClassEmbeds.flatMap({ ConfigCheck.range("num_class_embeds", $0, 1...16_777_216) })
      ?? numTrainTimesteps.flatMap({ ConfigCheck.range("num_train_timesteps", $0, 1...16_777_216) })
    {
      return problem
    }
    switch timeEmbeddingType {
    case .positional where !(-65_536...65_536).contains(freqShift):
      return ConfigCheck.range("freq_shift", freqShift, -65_536...65_536)
    case .positional where blockOutChannels[0] / 2 == freqShift:
      return "freq_shift is \(freqShift), which leaves no frequency to "
        + "\(blockOutChannels[0]) channels"
    case .learned where numTrainTimesteps == nil:
      return "num_train_timesteps is missing; learned time embeddings need it"
    case .positional, .fourier, .learned:
      return nil
    }
  }

  /// The number of weights of a network whose other numbers are in their ranges.
  var weightCount: Int {
    func resnet(_ inputs: Int, _ outputs: Int) -> Int {
      WeightCount.resnet(inputs, outputs, timeWidth: timeWidth, resnetTimeScaleShift)
    }
    func resampling(_ channels: Int, _ kind: Resampling?) -> Int {
      switch kind {
      case nil: 0
      case .conv: WeightCount.conv(channels, channels)
      case .resnet: resnet(channels, channels)
      }
    }
    let (first, last) = (blockOutChannels[0], blockOutChannels.last!)

    var count =
      WeightCount.conv(inChannels, first) + WeightCount.norm(first)
      + WeightCount.conv(first, outChannels)
    switch timeEmbeddingType {
    case .positional: break
    case .fourier: count += first
    case .learned: count += (numTrainTimesteps ?? 0) * first
    }
    count += WeightCount.timeLayers(timeProjectionWidth, timeWidth)
    switch classEmbedType {
    case .timestep: count += WeightCount.timeLayers(timeProjectionWidth, timeWidth)
    case .identity: break
    case nil: count += (numClassEmbeds ?? 0) * timeWidth
    }
    for (level, type) in downBlockTypes.enumerated() {
      let width = blockOutChannels[level]
      for layer in 0..<layersPerBlock {
        count += resnet(layer == 0 ? blockOutChannels[max(level - 1, 0)] : width, width)
        if type == .attention { count += WeightCount.attentionBlock(width) }
      }
      count += resampling(width, downsampling(level))
    }
    if midBlockType != nil {
      count += 2 * resnet(last, last)
      if addAttention {
        let hasNorm = attnNormNumGroups != nil || resnetTimeScaleShift == .shift
        count += WeightCount.attentionBlock(last, hasNorm: hasNorm)
      }
    }
    let widths = Array(blockOutChannels.reversed())
    for (level, type) in upBlockTypes.enumerated() {
      let width = widths[level]
      for (inputs, skip) in upInputs(level) {
        count += resnet(inputs + skip, width)
        if type == .attention { count += WeightCount.attentionBlock(width) }
      }
      count += resampling(width, upsampling(level))
    }
    return count
  }
}
