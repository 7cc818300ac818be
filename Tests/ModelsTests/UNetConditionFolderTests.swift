import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// Folders of conditional U-Nets that no network can be made of.
@Suite struct UNetConditionFolderTests {
  private let folder = DiffusersFolder("unet_condition", "sdxl")

  static let changes = [
    ConfigChange(
      "block_out_channels lists 13 levels; a network has 1 to 12.",
      ["block_out_channels": .array(Array(repeating: 4, count: 13))]),
    ConfigChange(
      "attention_head_dim lists 2 levels and block_out_channels 3; both must be of one length.",
      ["attention_head_dim": [1, 2]]),
    ConfigChange(
      "cross_attention_dim lists 1 levels and block_out_channels 3; both must be of one length.",
      ["cross_attention_dim": [6]]),
    ConfigChange("cross_attention_dim is 0; it must lie in 1...65536.", ["cross_attention_dim": 0]),
    ConfigChange(
      "\"cross_attention_dim\": found null, but a whole number is expected.",
      ["cross_attention_dim": nil]),
    ConfigChange(
      "layers_per_block is 0; it must lie in 1...64.", ["layers_per_block": [1, 0, 1]]),
    ConfigChange(
      "transformer_layers_per_block is -1; it must lie in 0...64.",
      ["transformer_layers_per_block": -1]),
    ConfigChange(
      "transformer_layers_per_block has lists within its list, which need "
        + "reverse_transformer_layers_per_block for the way up.",
      ["transformer_layers_per_block": [1, [2], [3]]]),
    ConfigChange(
      "reverse_transformer_layers_per_block lists 1 numbers for a level of 2 residual blocks.",
      [
        "transformer_layers_per_block": [1, [2], [3]],
        "reverse_transformer_layers_per_block": [[1], 1, 1],
      ]),
    ConfigChange(
      "attention_head_dim is 3, which does not divide a level's 8 channels.",
      ["attention_head_dim": [1, 2, 3]]),
    ConfigChange("attention_head_dim is 0; it must be positive.", ["attention_head_dim": 0]),
    ConfigChange(
      "norm_num_groups is 3, which does not divide a level's 4 channels.", ["norm_num_groups": 3]),
    ConfigChange("conv_in_kernel is 4; it must be an odd number in 1...31.", ["conv_in_kernel": 4]),
    ConfigChange(
      "projection_class_embeddings_input_dim is missing; this addition_embed_type needs it.",
      ["projection_class_embeddings_input_dim": nil]),
    ConfigChange(
      "projection_class_embeddings_input_dim is missing; this class_embed_type needs it.",
      ["projection_class_embeddings_input_dim": nil, "class_embed_type": "projection"]),
    ConfigChange(
      "addition_time_embed_dim is missing; addition_embed_type \"text_time\" needs it.",
      ["addition_time_embed_dim": nil]),
    ConfigChange(
      "freq_shift is 3, which leaves no frequency to 6 channels.",
      ["freq_shift": 3, "addition_time_embed_dim": 6]),
    ConfigChange(
      "\"addition_embed_type\": found \"image_hint\", but one of \"text_time\" is expected.",
      ["addition_embed_type": "image_hint"]),
    ConfigChange(
      "\"dual_cross_attention\": found true, but false is expected.",
      ["dual_cross_attention": true]),
    ConfigChange(
      "\"num_attention_heads\": found 8, but null is expected.", ["num_attention_heads": 8]),
    ConfigChange(
      "\"attention_type\": found \"gated\", but \"default\" is expected.",
      ["attention_type": "gated"]),
    ConfigChange(
      "\"mid_block_type\": found \"UNetMidBlock2DSimpleCrossAttn\", but one of "
        + "\"UNetMidBlock2D\", \"UNetMidBlock2DCrossAttn\" is expected; did you mean "
        + "\"UNetMidBlock2DCrossAttn\"?", ["mid_block_type": "UNetMidBlock2DSimpleCrossAttn"]),
    ConfigChange(
      "\"_class_name\": found \"UNet2DModel\", but \"UNet2DConditionModel\" is expected.",
      ["_class_name": "UNet2DModel"]),
  ]

  @Test(arguments: changes)
  func badConfigurationsAreExplained(_ change: ConfigChange) throws {
    let (file, sentence) = try folder.saying(change.values) { _ = try UNet2DCondition(folder: $0) }
    #expect(file == "config.json")
    #expect(sentence == change.sentence)
  }

  @Test func networksBeyondAllMeasureAreRefused() throws {
    let (file, sentence) = try folder.saying([
      "block_out_channels": [8192, 8192, 8192], "transformer_layers_per_block": 64,
    ]) { _ = try UNet2DCondition(folder: $0) }
    #expect(file == "config.json" && sentence.contains("more than 4294967296; choose smaller"))
  }

  @Test func weightsThatDoNotFitAreNamed() throws {
    let (file, sentence) = try folder.saying(["use_linear_projection": false]) {
      _ = try UNet2DCondition(folder: $0)
    }
    #expect(file == "diffusion_pytorch_model.safetensors")
    #expect(
      sentence.contains(
        "proj_in.weight is [4, 4], the network's is [4, 4, 1, 1]"))
  }

  @Test func silentKeysHaveDiffusersDefaults() throws {
    let config: UNetConditionConfig =
      try JSON.object(["_class_name": "UNet2DConditionModel"]).decode()
    #expect(config == UNetConditionConfig())
    #expect(config.problem == nil)
    #expect(config.timeWidth == 1280)
  }

  /// Whatever stands in a file is refused with an error or a sentence, or makes a network.
  @Test(arguments: ["sdxl", "nested", "class_projection"])
  func nothingInAFileTraps(_ name: String) throws {
    var (explained, built) = (0, 0)
    let (refused, _) = try DiffusersFolder("unet_condition", name).readingEverything { json in
      let config: UNetConditionConfig = try json.decode()
      if config.problem != nil {
        explained += 1
      } else if config.weightCount < 1 << 20 {
        _ = UNet2DCondition(config, using: nil)
        built += 1
      }
    }
    #expect(refused > 100 && explained > 50 && built > 50)
  }

  @Test func unknownKeysAreWrittenBack() throws {
    let file: JSON = ["_diffusers_version": "9.9", "resnet_skip_time_act": false, "freq_shift": 1]
    let written = try JSON(encoding: try file.decode(UNetConditionConfig.self))
    #expect(written["_diffusers_version"] == "9.9" && written["resnet_skip_time_act"] == false)
    #expect(written["freq_shift"] == 1 && written["_class_name"] == "UNet2DConditionModel")
  }

  @Test func sizesThatDoNotHalveAreExplained() throws {
    var config = UNetConditionConfig()
    config.blockOutChannels = [32, 32, 32]
    #expect(config.problem(forHeight: 7, width: 1) == nil)
    #expect(config.problem(forHeight: 0, width: 4)?.hasPrefix("a height of 0") == true)
    config.downsamplePadding = 0
    #expect(
      config.problem(forHeight: 4, width: 3)
        == "a width of 3 is too small for a network of 3 levels; it must be at least 4")
  }
}
