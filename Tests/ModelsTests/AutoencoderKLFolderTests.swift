import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// Folders of KL autoencoders that no network can be made of.
@Suite struct AutoencoderKLFolderTests {
  private let folder = DiffusersFolder("autoencoder_kl", "plain")

  static let changes = [
    ConfigChange(
      "block_out_channels lists 0 levels; a network has 1 to 12.", ["block_out_channels": []]),
    ConfigChange(
      "down_block_types lists 1 levels and block_out_channels 2; both must be of one length.",
      ["down_block_types": ["DownEncoderBlock2D"]]),
    ConfigChange("latent_channels is 0; it must lie in 1...4096.", ["latent_channels": 0]),
    ConfigChange("layers_per_block is 65; it must lie in 1...64.", ["layers_per_block": 65]),
    ConfigChange(
      "norm_num_groups is 3, which does not divide a level's 4 channels.", ["norm_num_groups": 3]),
    ConfigChange("sample_size is 0; it must lie in 1...65536.", ["sample_size": 0]),
    ConfigChange(
      "scaling_factor is 0.0; latents are divided by it.", ["scaling_factor": 0]),
    ConfigChange(
      "latents_mean lists 1 numbers for 2 latent_channels.",
      ["latents_mean": [1], "latents_std": [1, 1]]),
    ConfigChange(
      "latents_mean and latents_std must be given together.", ["latents_mean": [1, 1]]),
    ConfigChange(
      "latents_std holds 0; latents are divided by it.",
      ["latents_mean": [1, 1], "latents_std": [1, 0]]),
    ConfigChange(
      "\"up_block_types.0\": found \"AttnUpDecoderBlock2D\", but one of \"UpDecoderBlock2D\" is "
        + "expected; did you mean \"UpDecoderBlock2D\"?",
      ["up_block_types": ["AttnUpDecoderBlock2D", "UpDecoderBlock2D"]]),
    ConfigChange(
      "\"use_quant_conv\": found 1, but true or false is expected.", ["use_quant_conv": 1]),
    ConfigChange(
      "\"_class_name\": found \"VQModel\", but \"AutoencoderKL\" is expected.",
      ["_class_name": "VQModel"]),
  ]

  @Test(arguments: changes)
  func badConfigurationsAreExplained(_ change: ConfigChange) throws {
    let (file, sentence) = try folder.saying(change.values) { _ = try AutoencoderKL(folder: $0) }
    #expect(file == "config.json")
    #expect(sentence == change.sentence)
  }

  @Test func weightsThatDoNotFitAreNamed() throws {
    let (file, sentence) = try folder.saying(["use_quant_conv": false, "in_channels": 1]) {
      _ = try AutoencoderKL(folder: $0)
    }
    #expect(file == "diffusion_pytorch_model.safetensors")
    #expect(
      sentence == """
        these weights do not fit the network: 2 weights of the file have no place in the network: \
        quant_conv.bias, quant_conv.weight; 1 weights have another shape: encoder.conv_in.weight is \
        [4, 3, 3, 3], the network's is [4, 1, 3, 3].
        """)
  }

  @Test func silentKeysHaveDiffusersDefaults() throws {
    let config: AutoencoderKLConfig = try JSON.object(["_class_name": "AutoencoderKL"]).decode()
    #expect(config == AutoencoderKLConfig())
    #expect(config.problem == nil)
  }

  /// Whatever stands in a file is refused with an error or a sentence, or makes a network.
  @Test func nothingInAFileTraps() throws {
    var (explained, built) = (0, 0)
    let (refused, _) = try folder.readingEverything { json in
      let config: AutoencoderKLConfig = try json.decode()
      if config.problem != nil {
        explained += 1
      } else if config.weightCount < 1 << 20 {
        _ = AutoencoderKL(config, using: nil)
        _ = Tiling(config).problem(scale: config.scale)
        built += 1
      }
    }
    #expect(refused > 100)
    #expect(explained > 30)
    #expect(built > 50)
  }

  @Test func unknownKeysAreWrittenBack() throws {
    let file: JSON = ["_diffusers_version": "9.9", "myNote": ["a": 1], "scaling_factor": 0.13025]
    let written = try JSON(encoding: try file.decode(AutoencoderKLConfig.self))
    #expect(written["_diffusers_version"] == "9.9" && written["myNote"] == ["a": 1])
    #expect(written["scaling_factor"] == 0.13025 && written["_class_name"] == "AutoencoderKL")
  }

  @Test func picturesBelowALatentAreExplained() {
    var config = AutoencoderKLConfig()
    config.blockOutChannels = [32, 32, 32, 32]
    #expect(config.problem(forHeight: 8, width: 8) == nil)
    #expect(
      config.problem(forHeight: 8, width: 7)
        == "a width of 7 is less than the 8 pixels that become one latent")
  }
}
