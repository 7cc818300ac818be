import Interchange

extension UNetConfig: Codable {
  private static var keys: [ConfigKey<UNetConfig>] {
    [
      .init("sample_size", \.sampleSize),
      .init("in_channels", \.inChannels),
      .init("out_channels", \.outChannels),
      .init("center_input_sample", \.centerInputSample),
      .init("time_embedding_type", \.timeEmbeddingType),
      .init("time_embedding_dim", \.timeEmbeddingDim),
      .init("freq_shift", \.freqShift),
      .init("flip_sin_to_cos", \.flipSinToCos),
      .init("down_block_types", \.downBlockTypes),
      .init("mid_block_type", \.midBlockType),
      .init("up_block_types", \.upBlockTypes),
      .init("block_out_channels", \.blockOutChannels),
      .init("layers_per_block", \.layersPerBlock),
      .init("mid_block_scale_factor", \.midBlockScaleFactor),
      .init("downsample_padding", \.downsamplePadding),
      .init("downsample_type", \.downsampleType),
      .init("upsample_type", \.upsampleType),
      .init("dropout", \.dropout),
      .init("act_fn", \.actFn),
      .init("attention_head_dim", \.attentionHeadDim),
      .init("norm_num_groups", \.normNumGroups),
      .init("attn_norm_num_groups", \.attnNormNumGroups),
      .init("norm_eps", \.normEps),
      .init("resnet_time_scale_shift", \.resnetTimeScaleShift),
      .init("add_attention", \.addAttention),
      .init("class_embed_type", \.classEmbedType),
      .init("num_class_embeds", \.numClassEmbeds),
      .init("num_train_timesteps", \.numTrainTimesteps),
    ]
  }

  /// The class of diffusers that the configuration belongs to.
  public static let className = "UNet2DModel"

  /// Reads a file's keys over the defaults; throws for a key of another type, an unknown choice, or
  /// the configuration of another class.
  public init(from decoder: any Decoder) throws {
    self.init()
    otherKeys = try ConfigKey.read(Self.keys, of: Self.className, into: &self, from: decoder)
  }

  /// Writes every key, the unknown ones last.
  public func encode(to encoder: any Encoder) throws {
    try ConfigKey.write(Self.keys, of: Self.className, self, others: otherKeys, to: encoder)
  }
}
