import Foundation
import Interchange
import Testing

/// Folders of diffusion models that cannot be used: damaged, misfitting, contradictory.
@Suite struct BadPipelineTests {
  static let index = "classes/model_index.json"
  static let scheduler = "classes/scheduler/scheduler_config.json"
  static let unet = "classes/unet/config.json"
  static let weights = "classes/unet/diffusion_pytorch_model.safetensors"

  private func refuses(
    _ folder: Scratch, _ sentence: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try Tool.run(
      "sample", "classes", "-n", "1", "--steps", "3", "-o", "x.png", "--threads", "1", "--quiet",
      in: folder)
    expectRefusal(outcome, 1, sentence, location)
    #expect(!folder.exists("x.png"), sourceLocation: location)
  }

  @Test(
    arguments: [
      (
        scheduler, "DDPMScheduler", "DDPMShceduler",
        "no scheduler class \"DDPMShceduler\"; the nearest is \"DDPMScheduler\""
      ),
      (
        scheduler, "\"beta_end\": 0.02", "\"beta_end\": \"big\"",
        "\"beta_end\": found \"big\", but a number is expected"
      ),
      (scheduler, "\"beta_end\": 0.02", "\"beta_end\": 2.0", "beta_end is 2.0; it must lie in"),
      (
        scheduler, "\"trained_betas\": null", "\"trained_betas\": [0.1, 0.2]",
        "trained_betas lists 2 numbers, but num_train_timesteps is 1000"
      ),
      (
        scheduler, "\"num_train_timesteps\": 1000", "\"num_train_timesteps\": 0",
        "num_train_timesteps is 0; it must lie in"
      ),
      (
        scheduler, "\"num_train_timesteps\": 1000", "\"num_train_timesteps\": 2",
        "3 steps are more than the 2 levels"
      ),
      (scheduler, "\"epsilon\"", "\"epsilom\"", "did you mean \"epsilon\"?"),
      (
        scheduler, "\"epsilon\"", "\"flow_prediction\"",
        "ddpm cannot use a network whose prediction_type is flow_prediction"
      ),
      (
        scheduler, "\"steps_offset\": 0", "\"steps_offset\": 900",
        "a steps_offset of 900 carries timesteps out of 0..<1000"
      ),
      (scheduler, "{", "[", "scheduler_config.json: JSON line"),
      (index, "{", "[", "model_index.json: JSON line"),
      (index, "UNet2DModel", "UNet2DConditionModel", "unet is UNet2DConditionModel"),
      (index, "\"unet\"", "\"network\"", "this pipeline's unet is missing"),
      (index, "\"3\": ", "\"33\": ", "\"id2label\" does not number its names from 0 on"),
      (index, "\"7\": \"diamond\"", "\"7\": 7", "\"id2label\" does not number its names"),
      (
        index, "\"6\": \"heart\",\n    \"7\": \"diamond\"", "\"6\": \"heart\"",
        "\"id2label\" names 7 classes, but the network has 9"
      ),
      (
        unet, "\"sample_size\": 8", "\"sample_size\": 7",
        "a height of 7 does not fit a network of 2 levels; it must be a multiple of 2"
      ),
      (unet, "\"sample_size\": 8", "\"sample_size\": null", "give width and height"),
      (
        unet, "\"norm_num_groups\": 4", "\"norm_num_groups\": 3",
        "norm_num_groups is 3, which does not divide a level's 8 channels"
      ),
      (unet, "\"act_fn\": \"silu\"", "\"act_fn\": \"sliu\"", "found \"sliu\", but one of \"silu\""),
      (unet, "\"dropout\": 0.0", "\"dropout\": \"none\"", "unet/config.json: "),
      (
        unet, "\"in_channels\": 3", "\"in_channels\": 2",
        "conv_in.weight is [8, 3, 3, 3], the network's is [8, 2, 3, 3]"
      ),
    ] as [(String, String, String, String)])
  func oneWordChanged(file: String, old: String, new: String, sentence: String) throws {
    let folder = try Denoisers.copies("classes")
    try folder.edit(file, old, new)
    try refuses(folder, sentence)
  }

  @Test func missingAndTruncatedFiles() throws {
    for (file, sentence) in [
      (Self.scheduler, "scheduler_config.json: it cannot be opened"),
      (Self.weights, "\(Self.weights): it cannot be opened"),
      (Self.unet, "unet/config.json: "), (Self.index, "this run has no trained network yet"),
    ] {
      let folder = try Denoisers.copies("classes")
      try FileManager.default.removeItem(atPath: folder[file])
      try refuses(folder, sentence)
    }
    let folder = try Denoisers.copies("classes")
    let bytes = try folder.bytes(Self.weights)
    for (rest, sentence) in [
      (Array(bytes.dropLast(100)), "the file is cut short, so fetch it again"),
      (Array(bytes.prefix(5)), "it has 5 bytes, too few for a header"),
      ([], "\(Self.weights): "),
    ] as [([UInt8], String)] {
      try folder.put(rest, Self.weights)
      try refuses(folder, sentence)
    }
  }

  /// Every kind of misfit in one sentence, with names and shapes.
  @Test func weightsThatDoNotFit() throws {
    let folder = try Denoisers.copies("classes")
    try folder.edit(Self.unet, "\"layers_per_block\": 1", "\"layers_per_block\": 2")
    try folder.edit(Self.unet, "\"num_class_embeds\": 9", "\"num_class_embeds\": 8")
    for sentence in [
      "\(Self.weights): these weights do not fit the network",
      "of the network's weights are missing in the file: down_blocks.0.resnets.1.norm1.weight",
      "weights have another shape", "class_embedding.weight is [9, 32], the network's is [8, 32]",
    ] {
      try refuses(folder, sentence)
    }
    try folder.edit(Self.unet, "\"layers_per_block\": 2", "\"layers_per_block\": 1")
    try folder.edit(Self.unet, "\"add_attention\": true", "\"add_attention\": false")
    try refuses(folder, "mid_block.attentions.0")
  }

  @Test func anotherNumberOfChannels() throws {
    let folder = try Denoisers.copies("classes")
    let file = try SafetensorsFile(path: folder[Self.weights])
    let entries = try file.tensors.values.map { tensor in
      var (shape, bytes) = (tensor.shape, try file.bytes(of: tensor.name))
      if tensor.name == "conv_in.weight" {
        shape = [8, 2, 3, 3]
        bytes = Array(bytes.prefix(8 * 2 * 3 * 3 * 4))
      }
      return Safetensors.Entry(
        name: tensor.name, elementType: tensor.elementType, shape: shape, bytes: bytes)
    }
    try Safetensors.write(entries, to: folder[Self.weights])
    try folder.edit(Self.unet, "\"in_channels\": 3", "\"in_channels\": 2")
    try refuses(folder, "in_channels is 2, and no picture has so many; 1, 3 and 4 can be drawn")
  }

  @Test func unknownKeysAreNamedAndKept() throws {
    let folder = try Denoisers.copies("classes")
    try folder.edit(Self.scheduler, "\"beta_end\": 0.02", "\"beta_end\": 0.02, \"beta_ned\": 3")
    try folder.edit(Self.unet, "\"dropout\": 0.0", "\"dropout\": 0.0, \"dropuot\": 1")
    let outcome = try Tool.run(
      "sample", "classes", "-n", "1", "--steps", "2", "-o", "x.png", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "scheduler_config.json: the key \"beta_ned\" is unknown and does nothing; did you mean "
          + "\"beta_end\"?"), "\(outcome.errors)")
    #expect(outcome.errors.contains("unet/config.json: the key \"dropuot\""), "\(outcome.errors)")
    let measured = try Tool.run(
      "evaluate", "classes", "-n", "2", "--levels", "2", "--measures", "likelihood", in: folder)
    #expect(measured.errors.contains("\"beta_ned\" is unknown"), "\(measured.errors)")
    try FileManager.default.removeItem(atPath: folder["classes/run.json"])
    let seen = try Tool.run("inspect", "classes", "--json", in: folder).json
    #expect(seen["scheduler"]?["beta_ned"]?.int == 3 && seen["unet"]?["dropuot"]?.int == 1)
    #expect(seen["notes"]?.array?.count == 2)
  }
}
