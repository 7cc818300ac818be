extension AutoencoderKLConfig {
  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  ///
  /// Call it on every configuration that a person or a file supplied: the network trusts its own.
  public var problem: String? {
    let lists: KeyValuePairs<String, Int?> = [
      "down_block_types": downBlockTypes.count, "up_block_types": upBlockTypes.count,
    ]
    if let problem = ConfigCheck.levels(blockOutChannels, lists) ?? numberProblem {
      return problem
    }
    return latentProblem ?? ConfigCheck.weights(weightCount)
  }

  private var numberProblem: String? {
    ConfigCheck.first([
      ConfigCheck.range("in_channels", inChannels, 1...8192),
      ConfigCheck.range("out_channels", outChannels, 1...8192),
      ConfigCheck.range("latent_channels", latentChannels, 1...4096),
      ConfigCheck.range("layers_per_block", layersPerBlock, 1...64),
      ConfigCheck.divides("norm_num_groups", normNumGroups, blockOutChannels),
      ConfigCheck.pictureSize(sampleSize),
    ])
  }

  private var latentProblem: String? {
    guard scalingFactor != 0, scalingFactor.isFinite else {
      return "scaling_factor is \(scalingFactor); latents are divided by it"
    }
    for (name, list) in [("latents_mean", latentsMean), ("latents_std", latentsStd)] {
      if let list, list.count != latentChannels {
        return "\(name) lists \(list.count) numbers for \(latentChannels) latent_channels"
      }
    }
    guard (latentsMean == nil) == (latentsStd == nil) else {
      return "latents_mean and latents_std must be given together"
    }
    return latentsStd?.contains(0) == true ? "latents_std holds 0; latents are divided by it" : nil
  }

  /// The number of weights of a network whose other numbers are in their ranges.
  var weightCount: Int {
    let (first, last) = (blockOutChannels[0], blockOutChannels[blockOutChannels.count - 1])
    func resnet(_ inputs: Int, _ outputs: Int) -> Int {
      WeightCount.resnet(inputs, outputs, timeWidth: nil)
    }
    let middle =
      2 * resnet(last, last) + (midBlockAddAttention ? WeightCount.attentionBlock(last) : 0)

    var count =
      WeightCount.conv(inChannels, first) + middle + WeightCount.norm(last)
      + WeightCount.conv(last, 2 * latentChannels)
    for (level, width) in blockOutChannels.enumerated() {
      count += resnet(blockOutChannels[max(level - 1, 0)], width)
      count += (layersPerBlock - 1) * resnet(width, width)
      if level < blockOutChannels.count - 1 { count += WeightCount.conv(width, width) }
    }
    count +=
      WeightCount.conv(latentChannels, last) + middle + WeightCount.norm(first)
      + WeightCount.conv(first, outChannels)
    for (level, width) in blockOutChannels.reversed().enumerated() {
      count += upInputs(level).reduce(0) { $0 + resnet($1, width) }
      if level < blockOutChannels.count - 1 { count += WeightCount.conv(width, width) }
    }
    if useQuantConv { count += WeightCount.conv(2 * latentChannels, 2 * latentChannels, kernel: 1) }
    if usePostQuantConv { count += WeightCount.conv(latentChannels, latentChannels, kernel: 1) }
    return count
  }
}
