/// A key of a LoRA file, taken apart: which network, which layer, which factor.
///
/// Three families of names are in use. peft's and diffusers': `unet.PATH.lora_A.weight`; diffusers'
/// older ones: `unet.PATH.lora.down.weight`, `unet.….attn1.processor.to_q_lora.down.weight`,
/// `text_encoder.….lora_linear_layer.down.weight`; kohya's: `lora_unet_PATH.lora_down.weight` with
/// underscores between the parts of the path, in which U-Nets of XL have the original release's names.
struct LoRAKey: Equatable {
  /// A network of the pipeline.
  enum Network: Hashable {
    case unet
    /// Counted from 0.
    case textEncoder(Int)
  }

  /// What the tensor is to the layer.
  enum Role { case down, up, alpha }

  let network: Network
  /// The layer's path as the file spells it, dots or underscores between its parts.
  let layer: String
  let role: Role

  /// `nil` for what is no key of a LoRA file.
  init?(_ key: String) {
    guard let (ending, role) = Self.roles.first(where: { key.hasSuffix($0.ending) }) else {
      return nil
    }
    var rest = key.dropLast(ending.count)
    guard let prefix = Self.networks.first(where: { rest.hasPrefix($0.prefix) }) else { return nil }
    rest = rest.dropFirst(prefix.prefix.count)
    guard !rest.isEmpty else { return nil }
    network = prefix.network
    layer = Self.currentLayer(String(rest), of: network)
    self.role = role
  }

  private static let roles: [(ending: String, role: Role)] = [
    (".lora_A.weight", .down), (".lora_B.weight", .up),
    (".lora_A.default.weight", .down), (".lora_B.default.weight", .up),
    (".lora_linear_layer.down.weight", .down), (".lora_linear_layer.up.weight", .up),
    (".lora.down.weight", .down), (".lora.up.weight", .up),
    ("_lora.down.weight", .down), ("_lora.up.weight", .up),
    (".lora_down.weight", .down), (".lora_up.weight", .up),
    (".alpha", .alpha),
  ]

  /// The empty prefix, of a U-Net's file by peft itself, comes last.
  private static let networks: [(prefix: String, network: Network)] = [
    ("unet.", .unet), ("text_encoder.", .textEncoder(0)), ("text_encoder_2.", .textEncoder(1)),
    ("lora_unet_", .unet), ("lora_te_", .textEncoder(0)), ("lora_te1_", .textEncoder(0)),
    ("lora_te2_", .textEncoder(1)), ("base_model.model.", .unet), ("diffusion_model.", .unet),
    ("", .unet),
  ]

  /// Older files name attention processors, and their layers as those of the U-Net.
  private static func currentLayer(_ layer: String, of network: Network) -> String {
    var path = layer.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let last = path.popLast() else { return layer }
    let isProcessor = path.last == "processor"
    if isProcessor { path.removeLast() }
    let old =
      network == .unet
      ? (isProcessor ? ["to_out": "to_out.0"] : [:])
      : ["to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"]
    return (path + [old[last] ?? last]).joined(separator: ".")
  }
}
