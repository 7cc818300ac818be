extension UNetConfig {
  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  ///
  /// Call it on every configuration that a person or a file supplied: the network trusts its own.
  public var problem: String? {
    levelProblem ?? numberProblem ?? groupProblem ?? embeddingProblem ?? sizeProblem
  }

  private func outside(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
    range.contains(value)
      ? nil : "\(name) is \(value); it must lie in \(range.lowerBound)...\(range.upperBound)"
  }

  private var levelProblem: String? {
    let levels = blockOutChannels.count
    guard (1...12).contains(levels) else {
      return "block_out_channels lists \(levels) levels; a network has 1 to 12"
    }
    let lists = [
      ("down_block_types", downBlockTypes.count), ("up_block_types", upBlockTypes.count),
    ]
    for (name, count) in lists where count != levels {
      return "\(name) lists \(count) levels and block_out_channels \(levels); "
        + "both must be of one length"
    }
    return blockOutChannels.lazy.compactMap { outside("block_out_channels", $0, 1...8192) }.first
  }

  private var numberProblem: String? {
    if let problem = outside("in_channels", inChannels, 1...8192)
      ?? outside("out_channels", outChannels, 1...8192)
      ?? outside("layers_per_block", layersPerBlock, 1...64)
      ?? outside("downsample_padding", downsamplePadding, 0...1)
    {
      return problem
    }
    guard (0..<1).contains(dropout) else {
      return "dropout is \(dropout); it must lie in 0..<1"
    }
    guard normEps >= 0, normEps.isFinite else {
      return "norm_eps is \(normEps); it must not be negative"
    }
    guard midBlockScaleFactor != 0, midBlockScaleFactor.isFinite else {
      return "mid_block_scale_factor is \(midBlockScaleFactor); outputs are divided by it"
    }
    if let sampleSize {
      guard let (height, width) = sampleSize.extents else {
        return "sample_size must be one number or [height, width]"
      }
      return outside("sample_size", height, 1...65_536) ?? outside("sample_size", width, 1...65_536)
    }
    return nil
  }

  private var groupProblem: String? {
    func undivided(_ name: String, _ divisor: Int, _ channels: Int) -> String? {
      guard divisor >= 1 else { return "\(name) is \(divisor); it must be positive" }
      return channels.isMultiple(of: divisor)
        ? nil : "\(name) is \(divisor), which does not divide a level's \(channels) channels"
    }
    for channels in blockOutChannels {
      if let problem = undivided("norm_num_groups", normNumGroups, channels) { return problem }
    }
    let hasMidAttention = midBlockType != nil && addAttention
    var attending = zip(downBlockTypes, blockOutChannels).filter { $0.0 == .attention }.map(\.1)
    attending += zip(upBlockTypes, blockOutChannels.reversed()).filter { $0.0 == .attention }
      .map(\.1)
    if hasMidAttention, let last = blockOutChannels.last {
      attending.append(last)
      if let attnNormNumGroups,
        let problem = undivided("attn_norm_num_groups", attnNormNumGroups, last)
      {
        return problem
      }
    }
    guard let attentionHeadDim else { return nil }
    return attending.lazy.compactMap {
      undivided("attention_head_dim", attentionHeadDim, $0)
    }.first
  }

  private var embeddingProblem: String? {
    if let problem = timeEmbeddingDim.flatMap({ outside("time_embedding_dim", $0, 0...65_536) })
      ?? numClassEmbeds.flatMap({ outside("num_class_embeds", $0, 1...16_777_216) })
      ?? numTrainTimesteps.flatMap({ outside("num_train_timesteps", $0, 1...16_777_216) })
    {
      return problem
    }
    switch timeEmbeddingType {
    case .positional where !(-65_536...65_536).contains(freqShift):
      return outside("freq_shift", freqShift, -65_536...65_536)
    case .positional where blockOutChannels[0] / 2 == freqShift:
      return "freq_shift is \(freqShift), which leaves no frequency to "
        + "\(blockOutChannels[0]) channels"
    case .learned where numTrainTimesteps == nil:
      return "num_train_timesteps is missing; learned time embeddings need it"
    case .positional, .fourier, .learned:
      return nil
    }
  }

  /// Memory that is not there would end the process.
  private var sizeProblem: String? {
    weightCount <= Self.mostWeights
      ? nil
      : "the network would have \(weightCount) weights, more than \(Self.mostWeights); "
        + "choose smaller block_out_channels or layers_per_block"
  }

  /// 16 GiB of float32.
  static let mostWeights = 1 << 32

  /// The number of weights of a network whose other numbers are in their ranges.
  var weightCount: Int {
    func conv(_ inputs: Int, _ outputs: Int) -> Int { (9 * inputs + 1) * outputs }
    func resnet(_ inputs: Int, _ outputs: Int) -> Int {
      let time = (timeWidth + 1) * outputs * (resnetTimeScaleShift == .scaleShift ? 2 : 1)
      let shortcut = inputs == outputs ? 0 : (inputs + 1) * outputs
      return 2 * inputs + conv(inputs, outputs) + time + 2 * outputs + conv(outputs, outputs)
        + shortcut
    }
    func attention(_ channels: Int) -> Int { 4 * (channels + 1) * channels + 2 * channels }
    func resampling(_ channels: Int, _ kind: Resampling?) -> Int {
      switch kind {
      case nil: 0
      case .conv: conv(channels, channels)
      case .resnet: resnet(channels, channels)
      }
    }
    let (first, last) = (blockOutChannels[0], blockOutChannels.last!)
    func timeLayers(_ inputs: Int) -> Int {
      (inputs + 1) * timeWidth + (timeWidth + 1) * timeWidth
    }

    var count = conv(inChannels, first) + 2 * first + conv(first, outChannels)
    switch timeEmbeddingType {
    case .positional: break
    case .fourier: count += first
    case .learned: count += (numTrainTimesteps ?? 0) * first
    }
    count += timeLayers(timeProjectionWidth)
    switch classEmbedType {
    case .timestep: count += timeLayers(timeProjectionWidth)
    case .identity: break
    case nil: count += (numClassEmbeds ?? 0) * timeWidth
    }
    for (level, type) in downBlockTypes.enumerated() {
      let width = blockOutChannels[level]
      for layer in 0..<layersPerBlock {
        count += resnet(layer == 0 ? blockOutChannels[max(level - 1, 0)] : width, width)
        if type == .attention { count += attention(width) }
      }
      count += resampling(width, downsampling(level))
    }
    if midBlockType != nil {
      count += 2 * resnet(last, last)
      if addAttention {
        let hasNorm = attnNormNumGroups != nil || resnetTimeScaleShift == .shift
        count += attention(last) - (hasNorm ? 0 : 2 * last)
      }
    }
    let widths = Array(blockOutChannels.reversed())
    for (level, type) in upBlockTypes.enumerated() {
      let width = widths[level]
      for (inputs, skip) in upInputs(level) {
        count += resnet(inputs + skip, width)
        if type == .attention { count += attention(width) }
      }
      count += resampling(width, upsampling(level))
    }
    return count
  }
}
