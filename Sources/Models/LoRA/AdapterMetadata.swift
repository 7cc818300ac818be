import Interchange

/// What diffusers writes into the header of a LoRA file: for each network the arguments of peft's
/// `LoraConfig`, of which the ones that scale the product count here.
struct AdapterMetadata {
  /// The key in the header.
  static let key = "lora_adapter_metadata"

  private var values: JSONObject = [:]
  /// Why the file cannot be used, as one sentence.
  private(set) var problem: String?

  init(_ metadata: [String: String]) {
    guard let text = metadata[Self.key], let json = try? JSON(parsing: text).object else { return }
    values = json
    for (key, value) in json where key.hasSuffix(".use_dora") && value.bool == true {
      problem = "it is a DoRA file, and only plain LoRA files can be used"
    }
  }

  /// α / rank of a layer, or α / √rank where the file says `use_rslora`; `nil` where it says nothing.
  func scale(of layer: String, in network: LoRAKey.Network, rank: Int) -> Double? {
    let prefix = network.prefix
    guard var alpha = values["\(prefix).lora_alpha"]?.double, rank > 0 else { return nil }
    // A pattern is a path, or the end of one.
    for (pattern, value) in values["\(prefix).alpha_pattern"]?.object ?? [:] {
      if layer == pattern || layer.hasSuffix(".\(pattern)") {
        alpha = value.double ?? alpha
        break
      }
    }
    let isRootScaled = values["\(prefix).use_rslora"]?.bool == true
    return alpha / (isRootScaled ? Double(rank).squareRoot() : Double(rank))
  }

  /// The header of a file whose changes of a U-Net all have one rank and one α; `layers`: the ends of
  /// their paths.
  static func written(rank: Int, alpha: Double, layers: [String]) -> [String: String] {
    let json: JSON = [
      "unet.lora_alpha": .double(alpha), "unet.r": .int(rank),
      "unet.target_modules": .array(layers.map(JSON.string)),
    ]
    return ["format": "pt", key: json.compact]
  }
}

extension LoRAKey.Network {
  /// The name of the network's folder in a pipeline, which diffusers' keys begin with.
  var prefix: String {
    switch self {
    case .unet: "unet"
    case .textEncoder(0): "text_encoder"
    case .textEncoder(let place): "text_encoder_\(place + 1)"
    }
  }
}
