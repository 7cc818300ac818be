import Interchange

extension UNetConfig: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case className = "_class_name"
    case sampleSize = "sample_size"
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case centerInputSample = "center_input_sample"
    case timeEmbeddingType = "time_embedding_type"
    case timeEmbeddingDim = "time_embedding_dim"
    case freqShift = "freq_shift"
    case flipSinToCos = "flip_sin_to_cos"
    case downBlockTypes = "down_block_types"
    case midBlockType = "mid_block_type"
    case upBlockTypes = "up_block_types"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case midBlockScaleFactor = "mid_block_scale_factor"
    case downsamplePadding = "downsample_padding"
    case downsampleType = "downsample_type"
    case upsampleType = "upsample_type"
    case dropout
    case actFn = "act_fn"
    case attentionHeadDim = "attention_head_dim"
    case normNumGroups = "norm_num_groups"
    case attnNormNumGroups = "attn_norm_num_groups"
    case normEps = "norm_eps"
    case resnetTimeScaleShift = "resnet_time_scale_shift"
    case addAttention = "add_attention"
    case classEmbedType = "class_embed_type"
    case numClassEmbeds = "num_class_embeds"
    case numTrainTimesteps = "num_train_timesteps"
  }

  /// The class of diffusers that the configuration belongs to.
  public static let className = "UNet2DModel"

  /// Reads a file's keys over the defaults; throws for a key of another type, an unknown choice, or
  /// the configuration of another class.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func read<T: Decodable>(_ value: inout T, _ key: CodingKeys) throws {
      if container.contains(key) { value = try container.decode(T.self, forKey: key) }
    }
    self.init()
    var name = Self.className
    try read(&name, .className)
    guard name == Self.className else {
      throw DecodingError.dataCorruptedError(
        forKey: .className, in: container,
        debugDescription: "found \"\(name)\", but \"\(Self.className)\" is expected")
    }
    try read(&sampleSize, .sampleSize)
    try read(&inChannels, .inChannels)
    try read(&outChannels, .outChannels)
    try read(&centerInputSample, .centerInputSample)
    try read(&timeEmbeddingType, .timeEmbeddingType)
    try read(&timeEmbeddingDim, .timeEmbeddingDim)
    try read(&freqShift, .freqShift)
    try read(&flipSinToCos, .flipSinToCos)
    try read(&downBlockTypes, .downBlockTypes)
    try read(&midBlockType, .midBlockType)
    try read(&upBlockTypes, .upBlockTypes)
    try read(&blockOutChannels, .blockOutChannels)
    try read(&layersPerBlock, .layersPerBlock)
    try read(&midBlockScaleFactor, .midBlockScaleFactor)
    try read(&downsamplePadding, .downsamplePadding)
    try read(&downsampleType, .downsampleType)
    try read(&upsampleType, .upsampleType)
    try read(&dropout, .dropout)
    try read(&actFn, .actFn)
    try read(&attentionHeadDim, .attentionHeadDim)
    try read(&normNumGroups, .normNumGroups)
    try read(&attnNormNumGroups, .attnNormNumGroups)
    try read(&normEps, .normEps)
    try read(&resnetTimeScaleShift, .resnetTimeScaleShift)
    try read(&addAttention, .addAttention)
    try read(&classEmbedType, .classEmbedType)
    try read(&numClassEmbeds, .numClassEmbeds)
    try read(&numTrainTimesteps, .numTrainTimesteps)
    for (key, value) in try JSON(from: decoder).object ?? [:]
    where CodingKeys(rawValue: key) == nil {
      otherKeys[key] = value
    }
  }

  /// Writes every key, the unknown ones last.
  public func encode(to encoder: any Encoder) throws {
    var json = JSONObject()
    func write(_ value: some Encodable, _ key: CodingKeys) throws {
      json[key.rawValue] = try JSON(encoding: value)
    }
    try write(Self.className, .className)
    try write(sampleSize, .sampleSize)
    try write(inChannels, .inChannels)
    try write(outChannels, .outChannels)
    try write(centerInputSample, .centerInputSample)
    try write(timeEmbeddingType, .timeEmbeddingType)
    try write(timeEmbeddingDim, .timeEmbeddingDim)
    try write(freqShift, .freqShift)
    try write(flipSinToCos, .flipSinToCos)
    try write(downBlockTypes, .downBlockTypes)
    try write(midBlockType, .midBlockType)
    try write(upBlockTypes, .upBlockTypes)
    try write(blockOutChannels, .blockOutChannels)
    try write(layersPerBlock, .layersPerBlock)
    try write(midBlockScaleFactor, .midBlockScaleFactor)
    try write(downsamplePadding, .downsamplePadding)
    try write(downsampleType, .downsampleType)
    try write(upsampleType, .upsampleType)
    try write(dropout, .dropout)
    try write(actFn, .actFn)
    try write(attentionHeadDim, .attentionHeadDim)
    try write(normNumGroups, .normNumGroups)
    try write(attnNormNumGroups, .attnNormNumGroups)
    try write(normEps, .normEps)
    try write(resnetTimeScaleShift, .resnetTimeScaleShift)
    try write(addAttention, .addAttention)
    try write(classEmbedType, .classEmbedType)
    try write(numClassEmbeds, .numClassEmbeds)
    try write(numTrainTimesteps, .numTrainTimesteps)
    for (key, value) in otherKeys { json[key] = value }
    var single = encoder.singleValueContainer()
    try single.encode(JSON.object(json))
  }
}
