/// The text encoders of single files: those of Stable Diffusion 1.x and the first of XL have
/// transformers' names, those of 2.x and the second of XL OpenCLIP's.
enum SingleFileTextNames {
  /// Where OpenCLIP keeps the weight that transformers calls `key`; `nil` for an unknown key.
  ///
  /// OpenCLIP keeps queries, keys and values in one matrix, and the projection transposed.
  static func openCLIP(_ key: String) -> StoredWeight? {
    if key == "text_projection.weight" {
      return StoredWeight("text_projection", .transposed)
    }
    let prefix = "text_model.encoder.layers."
    guard key.hasPrefix(prefix) else { return outer[key].map { StoredWeight($0) } }
    let path = key.dropFirst(prefix.count).split(separator: ".").map(String.init)
    guard path.count >= 3, let kind = path.last else { return nil }
    let layer = path[1..<path.count - 1].joined(separator: ".")
    let block = "transformer.resblocks.\(path[0])"
    if let name = layers[layer] { return StoredWeight("\(block).\(name).\(kind)") }
    guard let third = projections.firstIndex(of: layer) else { return nil }
    return StoredWeight("\(block).attn.in_proj_\(kind)", .third(third))
  }

  private static let outer = [
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
  ]
  private static let layers = [
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
  ]
  private static let projections = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
}

extension CLIPTextConfig {
  /// The shape of a text encoder under transformers' names, told from the shapes of its weights; `nil`
  /// where they are no such network's.
  init?(singleFile shapes: [String: [Int]]) {
    func shape(_ key: String) -> [Int]? { shapes["text_model.\(key)"] ?? shapes[key] }
    guard let tokens = shape("embeddings.token_embedding.weight"), tokens.count == 2,
      let places = shape("embeddings.position_embedding.weight")?.first,
      let inner = shape("encoder.layers.0.mlp.fc1.weight")?.first
    else { return nil }
    self.init(tokens: tokens, places: places, inner: inner)
    hiddenAct = .quickGELU
    numHiddenLayers =
      (0...).first { shape("encoder.layers.\($0).mlp.fc1.weight") == nil } ?? 0
    projectionDim = hiddenSize
  }

  /// The shape of a text encoder under OpenCLIP's names, told from the shapes of its weights; `nil`
  /// where they are no such network's. With `isPenultimate` the last of 24 layers is left out.
  init?(openCLIP shapes: [String: [Int]], isPenultimate: Bool) {
    guard let tokens = shapes["token_embedding.weight"], tokens.count == 2,
      let places = shapes["positional_embedding"]?.first,
      let inner = shapes["transformer.resblocks.0.mlp.c_fc.weight"]?.first
    else { return nil }
    self.init(tokens: tokens, places: places, inner: inner)
    hiddenAct = .gelu
    let layers =
      (0...).first { shapes["transformer.resblocks.\($0).mlp.c_fc.weight"] == nil } ?? 0
    // Stable Diffusion 2 looks at the last layer but one; files that diffusers' users wrote leave
    // the last layer out.
    numHiddenLayers = isPenultimate ? min(layers, 23) : layers
    if !isPenultimate, let projection = shapes["text_projection"], projection.count == 2 {
      architecture = .projecting
      projectionDim = projection[1]
    }
  }

  /// What both have in common: heads of 64 channels, and the largest id as the end of a text.
  private init(tokens: [Int], places: Int, inner: Int) {
    self.init()
    (vocabSize, hiddenSize) = (tokens[0], tokens[1])
    (maxPositionEmbeddings, intermediateSize) = (places, inner)
    numAttentionHeads = max(1, hiddenSize / 64)
    (bosTokenID, eosTokenID) = (0, 2)
  }
}
