/// What the original release of Stable Diffusion calls the layers of a U-Net (its `UNetModel`, Rombach
/// et al. 2022), beside the names of diffusers.
///
/// The release numbers residual blocks and changes of size through all levels: `input_blocks` on the
/// way down, `output_blocks` on the way up.
enum LDMUNetNames {
  /// diffusers' names for those of the release, for networks of one shape.
  static func current(_ config: UNetConditionConfig) -> RenamedPaths {
    var names = RenamedPaths()
    names["input_blocks.0.0"] = "conv_in"
    names["out.0"] = "conv_norm_out"
    names["out.2"] = "conv_out"
    addTwoLayers("time_embed", "time_embedding", to: &names)
    if config.additionEmbedType == .textTime {
      addTwoLayers("label_emb.0", "add_embedding", to: &names)
    } else if config.classEmbedType != nil {
      addTwoLayers("label_emb.0", "class_embedding", to: &names)
    } else {
      names["label_emb"] = "class_embedding"
    }
    addWayDown(config, to: &names)
    addResidual("middle_block.0", "mid_block.resnets.0", to: &names)
    if config.midBlockType == .cross {
      names["middle_block.1"] = "mid_block.attentions.0"
      addResidual("middle_block.2", "mid_block.resnets.1", to: &names)
    }
    addWayUp(config, to: &names)
    return names
  }

  private static func addWayDown(_ config: UNetConditionConfig, to names: inout RenamedPaths) {
    var number = 1
    for level in config.blockOutChannels.indices {
      let block = "down_blocks.\(level)"
      for layer in 0..<config.layersPerBlock[level] {
        addResidual("input_blocks.\(number).0", "\(block).resnets.\(layer)", to: &names)
        if config.downBlockTypes[level] == .cross {
          names["input_blocks.\(number).1"] = "\(block).attentions.\(layer)"
        }
        number += 1
      }
      if level < config.blockOutChannels.count - 1 {
        names["input_blocks.\(number).0.op"] = "\(block).downsamplers.0.conv"
        number += 1
      }
    }
  }

  private static func addWayUp(_ config: UNetConditionConfig, to names: inout RenamedPaths) {
    var number = 0
    let last = config.blockOutChannels.count - 1
    for level in 0...last {
      let block = "up_blocks.\(level)"
      let layers = config.layersPerBlock[config.mirrored(level)]
      for layer in 0...layers {
        addResidual("output_blocks.\(number).0", "\(block).resnets.\(layer)", to: &names)
        let isCross = config.upBlockTypes[level] == .cross
        if isCross { names["output_blocks.\(number).1"] = "\(block).attentions.\(layer)" }
        if layer == layers, level < last {
          names["output_blocks.\(number).\(isCross ? 2 : 1).conv"] = "\(block).upsamplers.0.conv"
        }
        number += 1
      }
    }
  }

  private static func addTwoLayers(_ old: String, _ new: String, to names: inout RenamedPaths) {
    names["\(old).0"] = "\(new).linear_1"
    names["\(old).2"] = "\(new).linear_2"
  }

  /// A residual block: the release counts the layers between, weights or none.
  private static func addResidual(_ old: String, _ new: String, to names: inout RenamedPaths) {
    names["\(old).in_layers.0"] = "\(new).norm1"
    names["\(old).in_layers.2"] = "\(new).conv1"
    names["\(old).emb_layers.1"] = "\(new).time_emb_proj"
    names["\(old).out_layers.0"] = "\(new).norm2"
    names["\(old).out_layers.3"] = "\(new).conv2"
    names["\(old).skip_connection"] = "\(new).conv_shortcut"
  }
}
