import Interchange

extension UNetConditionConfig: Codable {
  private static var keys: [ConfigKey<UNetConditionConfig>] {
    [
      .init("sample_size", \.sampleSize),
      .init("in_channels", \.inChannels),
      .init("out_channels", \.outChannels),
      .init("center_input_sample", \.centerInputSample),
      .init("flip_sin_to_cos", \.flipSinToCos),
      .init("freq_shift", \.freqShift),
      .init("down_block_types", \.downBlockTypes),
      .init("mid_block_type", \.midBlockType),
      .init("up_block_types", \.upBlockTypes),
      .init("only_cross_attention", \.onlyCrossAttention),
      .init("block_out_channels", \.blockOutChannels),
      .init("layers_per_block", \.layersPerBlock),
      .init("downsample_padding", \.downsamplePadding),
      .init("mid_block_scale_factor", \.midBlockScaleFactor),
      .init("dropout", \.dropout),
      .init("act_fn", \.actFn),
      .init("norm_num_groups", \.normNumGroups),
      .init("norm_eps", \.normEps),
      .init("cross_attention_dim", \.crossAttentionDim),
      .init("transformer_layers_per_block", \.transformerLayersPerBlock),
      .init("reverse_transformer_layers_per_block", \.reverseTransformerLayersPerBlock),
      .init("encoder_hid_dim", always: nil),
      .init("encoder_hid_dim_type", always: nil),
      .init("attention_head_dim", \.attentionHeadDim),
      .init("num_attention_heads", always: nil),
      .init("dual_cross_attention", always: false),
      .init("use_linear_projection", \.useLinearProjection),
      .init("class_embed_type", \.classEmbedType),
      .init("addition_embed_type", \.additionEmbedType),
      .init("addition_time_embed_dim", \.additionTimeEmbedDim),
      .init("num_class_embeds", \.numClassEmbeds),
      .init("upcast_attention", \.upcastAttention),
      .init("resnet_time_scale_shift", \.resnetTimeScaleShift),
      .init("time_embedding_type", \.timeEmbeddingType),
      .init("time_embedding_dim", \.timeEmbeddingDim),
      .init("time_embedding_act_fn", always: nil),
      .init("timestep_post_act", always: nil),
      .init("time_cond_proj_dim", \.timeCondProjDim),
      .init("conv_in_kernel", \.convInKernel),
      .init("conv_out_kernel", \.convOutKernel),
      .init("projection_class_embeddings_input_dim", \.projectionClassEmbeddingsInputDim),
      .init("attention_type", always: "default"),
      .init("class_embeddings_concat", always: false),
      .init("cross_attention_norm", always: nil),
    ]
  }

  /// The class of diffusers that the configuration belongs to.
  public static let className = "UNet2DConditionModel"

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
