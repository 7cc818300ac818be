import Foundation
import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// Folders that no network can be made of.
@Suite struct UNetFolderTests {
  static let changes = [
    ConfigChange(
      "block_out_channels lists 0 levels; a network has 1 to 12.", ["block_out_channels": []]),
    ConfigChange(
      "up_block_types lists 1 levels and block_out_channels 2; both must be of one length.",
      ["up_block_types": ["UpBlock2D"]]),
    ConfigChange(
      "block_out_channels is -8; it must lie in 1...8192.", ["block_out_channels": [-8, 16]]),
    ConfigChange("layers_per_block is 0; it must lie in 1...64.", ["layers_per_block": 0]),
    ConfigChange("in_channels is 0; it must lie in 1...8192.", ["in_channels": 0]),
    ConfigChange("downsample_padding is 2; it must lie in 0...1.", ["downsample_padding": 2]),
    ConfigChange("dropout is 1.0; it must lie in 0..<1.", ["dropout": 1]),
    ConfigChange("norm_eps is -1.0; it must not be negative.", ["norm_eps": -1]),
    ConfigChange(
      "mid_block_scale_factor is 0.0; outputs are divided by it.", ["mid_block_scale_factor": 0]),
    ConfigChange("sample_size must be one number or [height, width].", ["sample_size": [8]]),
    ConfigChange("sample_size is 0; it must lie in 1...65536.", ["sample_size": [8, 0]]),
    ConfigChange("norm_num_groups is 0; it must be positive.", ["norm_num_groups": 0]),
    ConfigChange(
      "norm_num_groups is 3, which does not divide a level's 8 channels.", ["norm_num_groups": 3]),
    ConfigChange(
      "attn_norm_num_groups is 5, which does not divide a level's 16 channels.",
      ["attn_norm_num_groups": 5]),
    ConfigChange(
      "attention_head_dim is 32, which does not divide a level's 16 channels.",
      ["attention_head_dim": 32]),
    ConfigChange(
      "freq_shift is 4, which leaves no frequency to 8 channels.", ["freq_shift": 4]),
    ConfigChange(
      "num_train_timesteps is missing; learned time embeddings need it.",
      ["time_embedding_type": "learned"]),
    ConfigChange("num_class_embeds is 0; it must lie in 1...16777216.", ["num_class_embeds": 0]),
    ConfigChange(
      "time_embedding_dim is -1; it must lie in 0...65536.", ["time_embedding_dim": -1]),
    ConfigChange(
      "\"down_block_types.1\": found \"AttnDownBlok2D\", but one of \"DownBlock2D\", "
        + "\"AttnDownBlock2D\", \"ResnetDownsampleBlock2D\" is expected; did you mean "
        + "\"AttnDownBlock2D\"?", ["down_block_types": ["DownBlock2D", "AttnDownBlok2D"]]),
    ConfigChange(
      "\"_class_name\": found \"VQModel\", but \"UNet2DModel\" is expected.",
      ["_class_name": "VQModel"]),
  ]

  /// What opening diffusers' folder says, once keys of its configuration have other values.
  private func saying(_ values: [String: JSON]) throws -> (file: String?, sentence: String) {
    try DiffusersFolder("unet", "attention").saying(values) { _ = try UNet2D(folder: $0) }
  }

  @Test(arguments: changes)
  func badConfigurationsAreExplained(_ change: ConfigChange) throws {
    let (file, sentence) = try saying(change.values)
    #expect(file == "config.json")
    #expect(sentence == change.sentence)
  }

  @Test func networksBeyondAllMeasureAreRefused() throws {
    let (file, sentence) = try saying([
      "block_out_channels": [8192, 8192], "layers_per_block": 64,
    ])
    #expect(file == "config.json" && sentence.contains("more than 4294967296; choose smaller"))
  }

  @Test func allWeightsThatDoNotFitAreNamedAtOnce() throws {
    let (file, sentence) = try saying([
      "in_channels": 1, "num_class_embeds": 3, "add_attention": false,
    ])
    #expect(file == "diffusion_pytorch_model.safetensors")
    #expect(
      sentence == """
        these weights do not fit the network: 1 of the network's weights are missing in the file: \
        class_embedding.weight; 10 weights of the file have no place in the network: \
        mid_block.attentions.0.group_norm.bias, mid_block.attentions.0.group_norm.weight, \
        mid_block.attentions.0.to_k.bias, mid_block.attentions.0.to_k.weight, \
        mid_block.attentions.0.to_out.0.bias, mid_block.attentions.0.to_out.0.weight and 4 more; \
        1 weights have another shape: conv_in.weight is [8, 3, 3, 3], the network's is [8, 1, 3, 3].
        """)
  }

  @Test func silentKeysHaveDiffusersDefaults() throws {
    let config: UNetConfig = try JSON.object(["_class_name": "UNet2DModel"]).decode()
    #expect(config == UNetConfig())
    #expect(config.problem == nil)
    #expect(config.attentionHeadDim == 8 && config.timeWidth == 896)
    let silent: UNetConfig = try JSON.object(["attention_head_dim": nil]).decode()
    #expect(silent.attentionHeadDim == nil)
  }

  /// Whatever stands in a file is refused with an error or a sentence, or makes a network.
  @Test func nothingInAFileTraps() throws {
    var (explained, built) = (0, 0)
    let (refused, _) = try DiffusersFolder("unet", "three_levels").readingEverything { json in
      let config: UNetConfig = try json.decode()
      if config.problem != nil {
        explained += 1
      } else if config.weightCount < 1 << 20 {
        _ = UNet2D(config, using: nil)
        built += 1
      }
    }
    #expect(refused > 100 && explained > 50 && built > 50)
  }

  /// The network of Ho et al. 2020 for CIFAR-10, which has 35.7 million weights.
  @Test func theClassicNetworkHasItsSize() {
    var config = UNetConfig()
    config.blockOutChannels = [128, 256, 256, 256]
    config.downBlockTypes = [.plain, .attention, .plain, .plain]
    config.upBlockTypes = [.plain, .plain, .attention, .plain]
    config.attentionHeadDim = nil
    #expect(config.problem == nil)
    #expect(config.weightCount == 35_746_307)
  }

  @Test func unknownKeysAreWrittenBack() throws {
    let file: JSON = ["_diffusers_version": "9.9", "myNote": ["a": 1], "dropout": 0.25]
    let written = try JSON(encoding: try file.decode(UNetConfig.self))
    #expect(written["_diffusers_version"] == "9.9" && written["myNote"] == ["a": 1])
    #expect(written["dropout"] == 0.25 && written["_class_name"] == "UNet2DModel")
  }

  @Test func sizesThatDoNotHalveAreExplained() throws {
    var config = UNetConfig()
    config.blockOutChannels = [32, 32, 32]
    #expect(config.problem(forHeight: 32, width: 28) == nil)
    #expect(
      config.problem(forHeight: 32, width: 30)
        == "a width of 30 does not fit a network of 3 levels; it must be a multiple of 4")
    #expect(config.problem(forHeight: 0, width: 4)?.hasPrefix("a height of 0") == true)
  }
}
