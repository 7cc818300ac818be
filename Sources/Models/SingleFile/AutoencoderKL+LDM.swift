/// What the original release calls the layers of the KL autoencoder, beside the names of diffusers.
enum LDMAutoencoderNames {
  /// diffusers' names for those of the release. The release counts the levels of the decoder from the
  /// largest picture.
  static func current(_ config: AutoencoderKLConfig) -> RenamedPaths {
    var names = RenamedPaths()
    for side in ["encoder", "decoder"] {
      names[side] = side
      names["\(side).norm_out"] = "\(side).conv_norm_out"
      for place in 0...1 {
        addResidual(
          "\(side).mid.block_\(place + 1)", "\(side).mid_block.resnets.\(place)", to: &names)
      }
      let (old, new) = ("\(side).mid.attn_1", "\(side).mid_block.attentions.0")
      for (layer, name) in ["norm": "group_norm", "proj_out": "to_out.0"] {
        names["\(old).\(layer)"] = "\(new).\(name)"
      }
      for layer in ["q", "k", "v"] { names["\(old).\(layer)"] = "\(new).to_\(layer)" }
    }
    for layer in ["quant_conv", "post_quant_conv"] { names[layer] = layer }
    let levels = config.blockOutChannels.count
    for level in 0..<levels {
      let (down, up) = ("encoder.down.\(level)", "decoder.up.\(level)")
      let upBlock = "decoder.up_blocks.\(levels - 1 - level)"
      for layer in 0...config.layersPerBlock {
        addResidual(
          "\(down).block.\(layer)", "encoder.down_blocks.\(level).resnets.\(layer)", to: &names)
        addResidual("\(up).block.\(layer)", "\(upBlock).resnets.\(layer)", to: &names)
      }
      names["\(down).downsample"] = "encoder.down_blocks.\(level).downsamplers.0"
      names["\(up).upsample"] = "\(upBlock).upsamplers.0"
    }
    return names
  }

  private static func addResidual(_ old: String, _ new: String, to names: inout RenamedPaths) {
    names[old] = new
    names["\(old).nin_shortcut"] = "\(new).conv_shortcut"
  }
}

extension AutoencoderKLConfig {
  /// The shape of an autoencoder of the original release, told from the shapes of its weights; `nil`
  /// where they are no such network's. Groups and scale of latents are those of Stable Diffusion 1.x.
  init?(ldm shapes: [String: [Int]]) {
    guard let first = shapes["encoder.conv_in.weight"], first.count == 4,
      let last = shapes["decoder.conv_out.weight"]?.first,
      let latents = shapes["encoder.conv_out.weight"]?.first
    else { return nil }
    func width(_ level: Int, _ layer: Int = 0) -> Int? {
      shapes["encoder.down.\(level).block.\(layer).conv1.weight"]?.first
    }
    self.init()
    blockOutChannels = Array((0...).lazy.map { width($0) }.prefix { $0 != nil }.compactMap { $0 })
    layersPerBlock = (0...).first { width(0, $0) == nil } ?? 0
    guard layersPerBlock > 0 else { return nil }
    (inChannels, outChannels, latentChannels) = (first[1], last, latents / 2)
    downBlockTypes = blockOutChannels.map { _ in .plain }
    upBlockTypes = blockOutChannels.map { _ in .plain }
    midBlockAddAttention = shapes["encoder.mid.attn_1.q.weight"] != nil
    useQuantConv = shapes["quant_conv.weight"] != nil
    usePostQuantConv = shapes["post_quant_conv.weight"] != nil
  }
}
