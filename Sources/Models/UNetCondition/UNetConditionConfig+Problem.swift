extension UNetConditionConfig {
  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  ///
  /// Call it on every configuration that a person or a file supplied: the network trusts its own.
  public var problem: String? {
    // In this order: later checks rely on what earlier ones have found to be right.
    if let problem = levelProblem ?? numberProblem ?? transformerProblem { return problem }
    return headProblem ?? embeddingProblem ?? ConfigCheck.weights(weightCount)
  }

  private var levelProblem: String? {
    ConfigCheck.levels(
      blockOutChannels,
      [
        "down_block_types": downBlockTypes.count, "up_block_types": upBlockTypes.count,
        "only_cross_attention": onlyCrossAttention.count,
        "layers_per_block": layersPerBlock.count,
        "cross_attention_dim": crossAttentionDim.count,
        "attention_head_dim": attentionHeadDim.count,
        "transformer_layers_per_block": transformerLayersPerBlock.count,
        "reverse_transformer_layers_per_block": reverseTransformerLayersPerBlock?.count,
      ])
  }

  private var numberProblem: String? {
    ConfigCheck.first([
      ConfigCheck.range("in_channels", inChannels, 1...8192),
      ConfigCheck.range("out_channels", outChannels, 1...8192),
      ConfigCheck.range("layers_per_block", layersPerBlock.values, 1...64),
      ConfigCheck.range("downsample_padding", downsamplePadding, 0...1),
      ConfigCheck.range("cross_attention_dim", crossAttentionDim.values, 1...65_536),
      ConfigCheck.chance("dropout", dropout),
      ConfigCheck.notNegative("norm_eps", normEps),
      ConfigCheck.divisor("mid_block_scale_factor", midBlockScaleFactor),
      ConfigCheck.pictureSize(sampleSize),
      kernelProblem("conv_in_kernel", convInKernel),
      kernelProblem("conv_out_kernel", convOutKernel),
      ConfigCheck.divides("norm_num_groups", normNumGroups, blockOutChannels),
    ])
  }

  /// An even kernel would change the picture's size.
  private func kernelProblem(_ name: String, _ side: Int) -> String? {
    (1...31).contains(side) && !side.isMultiple(of: 2)
      ? nil : "\(name) is \(side); it must be an odd number in 1...31"
  }

  /// A list within a level has one number a residual block: the way up has one block more than the
  /// way down, so that lists of lists need a second key.
  private var transformerProblem: String? {
    let (down, up) = ("transformer_layers_per_block", "reverse_transformer_layers_per_block")
    for (name, levels) in [
      (down, transformerLayersPerBlock), (up, reverseTransformerLayersPerBlock),
    ] {
      for level in levels?.values ?? [] {
        if let problem = ConfigCheck.range(name, level.values, 0...64) { return problem }
      }
    }
    if reverseTransformerLayersPerBlock == nil,
      transformerLayersPerBlock.values.contains(where: { $0.count != nil })
    {
      return "\(down) has lists within its list, which need \(up) for the way up"
    }
    for level in blockOutChannels.indices {
      let lists = [
        (down, transformerLayersPerBlock[level].count, layersPerBlock[level]),
        (
          up, reverseTransformerLayersPerBlock?[level].count, layersPerBlock[mirrored(level)] + 1
        ),
      ]
      for (name, found, expected) in lists {
        if let found, found != expected {
          return "\(name) lists \(found) numbers for a level of \(expected) residual blocks"
        }
      }
    }
    return nil
  }

  private var headProblem: String? {
    blockOutChannels.indices.lazy.compactMap { level in
      let hasAttention =
        downBlockTypes[level] == .cross || upBlockTypes[mirrored(level)] == .cross
        || (level == blockOutChannels.count - 1 && midBlockType == .cross)
      return hasAttention
        ? ConfigCheck.divides(
          "attention_head_dim", attentionHeadDim[level], blockOutChannels[level])
        : nil
    }.first
  }

  private var embeddingProblem: String? {
    let widths: [(String, Int?, ClosedRange<Int>)] = [
      ("time_embedding_dim", timeEmbeddingDim, 0...65_536),
      ("time_cond_proj_dim", timeCondProjDim, 1...65_536),
      ("num_class_embeds", numClassEmbeds, 1...16_777_216),
      ("addition_time_embed_dim", additionTimeEmbedDim, 1...65_536),
      ("projection_class_embeddings_input_dim", projectionClassEmbeddingsInputDim, 1...65_536),
      ("freq_shift", freqShift, -65_536...65_536),
    ]
    for (name, width, range) in widths {
      if let width, let problem = ConfigCheck.range(name, width, range) { return problem }
    }
    let isProjected = classEmbedType == .projection || classEmbedType == .simpleProjection
    if isProjected || additionEmbedType == .textTime, projectionClassEmbeddingsInputDim == nil {
      let name = isProjected ? "class_embed_type" : "addition_embed_type"
      return "projection_class_embeddings_input_dim is missing; this \(name) needs it"
    }
    if additionEmbedType == .textTime, additionTimeEmbedDim == nil {
      return "addition_time_embed_dim is missing; addition_embed_type \"text_time\" needs it"
    }
    let sines =
      [blockOutChannels[0]] + (additionEmbedType == .textTime ? [additionTimeEmbedDim] : [])
    for case let width? in sines where width / 2 == freqShift {
      return "freq_shift is \(freqShift), which leaves no frequency to \(width) channels"
    }
    return nil
  }
}
