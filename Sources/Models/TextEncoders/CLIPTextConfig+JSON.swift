import Interchange

extension CLIPTextConfig: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case architectures
    case modelType = "model_type"
    case vocabSize = "vocab_size"
    case hiddenSize = "hidden_size"
    case intermediateSize = "intermediate_size"
    case projectionDim = "projection_dim"
    case numHiddenLayers = "num_hidden_layers"
    case numAttentionHeads = "num_attention_heads"
    case maxPositionEmbeddings = "max_position_embeddings"
    case hiddenAct = "hidden_act"
    case layerNormEps = "layer_norm_eps"
    case initializerFactor = "initializer_factor"
    case padTokenID = "pad_token_id"
    case bosTokenID = "bos_token_id"
    case eosTokenID = "eos_token_id"
  }

  /// transformers' name for the kind of configuration.
  public static let modelType = "clip_text_model"

  /// Reads a file's keys over the defaults; throws for a key of another type, an unknown choice, or
  /// the configuration of another model.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func read<T: Decodable>(_ value: inout T, _ key: CodingKeys) throws {
      if container.contains(key) { value = try container.decode(T.self, forKey: key) }
    }
    self.init()
    var type = Self.modelType
    try read(&type, .modelType)
    guard type == Self.modelType else {
      throw DecodingError.dataCorruptedError(
        forKey: .modelType, in: container,
        debugDescription: "found \"\(type)\", but \"\(Self.modelType)\" is expected")
    }
    var architectures: [Architecture]?
    try read(&architectures, .architectures)
    architecture = architectures?.first ?? .plain
    try read(&vocabSize, .vocabSize)
    try read(&hiddenSize, .hiddenSize)
    try read(&intermediateSize, .intermediateSize)
    try read(&projectionDim, .projectionDim)
    try read(&numHiddenLayers, .numHiddenLayers)
    try read(&numAttentionHeads, .numAttentionHeads)
    try read(&maxPositionEmbeddings, .maxPositionEmbeddings)
    try read(&hiddenAct, .hiddenAct)
    try read(&layerNormEps, .layerNormEps)
    try read(&initializerFactor, .initializerFactor)
    try read(&padTokenID, .padTokenID)
    try read(&bosTokenID, .bosTokenID)
    try read(&eosTokenID, .eosTokenID)
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
    try write([architecture], .architectures)
    try write(Self.modelType, .modelType)
    try write(vocabSize, .vocabSize)
    try write(hiddenSize, .hiddenSize)
    try write(intermediateSize, .intermediateSize)
    try write(projectionDim, .projectionDim)
    try write(numHiddenLayers, .numHiddenLayers)
    try write(numAttentionHeads, .numAttentionHeads)
    try write(maxPositionEmbeddings, .maxPositionEmbeddings)
    try write(hiddenAct, .hiddenAct)
    try write(layerNormEps, .layerNormEps)
    try write(initializerFactor, .initializerFactor)
    try write(padTokenID, .padTokenID)
    try write(bosTokenID, .bosTokenID)
    try write(eosTokenID, .eosTokenID)
    for (key, value) in otherKeys { json[key] = value }
    var single = encoder.singleValueContainer()
    try single.encode(JSON.object(json))
  }
}
