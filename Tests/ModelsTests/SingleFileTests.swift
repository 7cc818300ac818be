import Foundation
import Interchange
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Models

/// Files under the original release's key names against diffusers' `from_single_file`, which read the
/// same weights from the same keys when the golden files were made.
@Suite struct SingleFileTests {
  static let names = ["sd1", "sd2", "xl", "inpainting"]

  @Test(arguments: names) func configurationsAreToldFromShapes(_ name: String) throws {
    try withCheckpoint(name) { file, model in
      #expect(file.family == model.family)
      #expect(file.predictsVelocity == (name == "sd2"))
      var unet = model.unet.config
      unet.otherKeys = [:]
      #expect(file.unetConfig == unet)
      var autoencoder = model.autoencoder.config
      autoencoder.otherKeys = [:]
      #expect(file.autoencoderConfig == autoencoder)
      for (found, expected) in zip(file.textConfigs, model.texts.map(\.config)) {
        var expected = expected
        expected.otherKeys = [:]
        // Of no effect in a network without a projection.
        if expected.architecture == .plain { expected.projectionDim = found.projectionDim }
        #expect(found == expected)
      }
      #expect(file.textConfigs.count == model.texts.count)
    }
  }

  @Test(arguments: names) func everyWeightIsTheFolders(_ name: String) throws {
    try withCheckpoint(name) { file, model in
      try expectSame(file.unet(), model.unet)
      try expectSame(file.autoencoder(), model.autoencoder)
      let texts = try file.textEncoders()
      for (found, expected) in zip(texts, model.texts) { expectSame(found, expected) }
    }
  }

  @Test(arguments: names) func networksGiveWhatDiffusersGives(_ name: String) throws {
    let fixture = try Fixture("single_file/\(name)")
    try withCheckpoint(name) { file, _ in
      try withoutGradients {
        let added =
          try name == "xl"
          ? AddedConditions(pooled: fixture["pooled"], sizes: fixture["sizes"]) : nil
        let predicted = try file.unet()(
          fixture["x"], timesteps: Tensor(500, dtype: .int64),
          prompt: PromptContext(fixture["prompt"]), added: added)
        expectNear(predicted, try fixture["out.unet"])
        expectNear(try file.autoencoder().decode(fixture["z"]), try fixture["out.vae"])
        let texts = try file.textEncoders()
        let ids = try fixture["ids"]
        expectNear(texts[0](ids).lastHiddenState, try fixture["out.text_encoder"])
        if name == "xl" {
          expectNear(
            try #require(texts[1](ids).projected), try fixture["out.text_encoder_2"])
        }
      }
    }
  }

  /// Half precision, names without prefixes, and a U-Net or an autoencoder that stands alone.
  @Test(arguments: ["sd1", "xl"]) func networksMayStandAlone(_ name: String) throws {
    let model = try SingleFileModel(name)
    for (prefix, network) in [
      ("model.diffusion_model.", model.unet as Module), ("first_stage_model.", model.autoencoder),
    ] {
      let tensors = try model.tensors.filter { $0.key.hasPrefix(prefix) }
      for keepsPrefix in [true, false] {
        try withScratchFolder { folder in
          let path = "\(folder)/alone.safetensors"
          try Weights.write(
            tensors.map { key, tensor in
              (keepsPrefix ? key : String(key.dropFirst(prefix.count)), tensor.to(.float16))
            }, to: path)
          let file = try SingleFileCheckpoint(path: path)
          #expect((file.unetConfig == nil) == (network === model.autoencoder))
          #expect((file.autoencoderConfig == nil) == (network === model.unet))
          #expect(file.textConfigs.isEmpty)
          let found = network === model.unet ? try file.unet() as Module : try file.autoencoder()
          for ((key, tensor), (_, expected)) in zip(found.state, network.state) {
            #expect(tensor.isSame(as: expected.to(.float16).to(.float32)), "\(key)")
          }
          #expect(throws: SafetensorsError.self) {
            _ = network === model.unet ? try file.autoencoder() as Module : try file.unet()
          }
        }
      }
    }
  }

  /// At the real sizes, from the shapes that golden files list under diffusers' keys.
  @Test(arguments: ["stable_diffusion", "stable_diffusion_xl"])
  func realSizesAreTold(_ name: String) throws {
    let golden = try JSON(
      contentsOfFile: Fixture.folder.appending(path: "unet_condition/\(name).json").path)
    var config: UNetConditionConfig = try #require(golden["config"]).decode()
    let names = LDMUNetNames.current(config).inverse
    var shapes: [String: [Int]] = [:]
    for (key, shape) in try #require(golden["shapes"]?.object) {
      shapes[try #require(names(key))] = shape.array?.compactMap(\.int)
    }
    var found = try #require(UNetConditionConfig(ldm: shapes))
    found.sampleSize = config.sampleSize
    config.otherKeys = [:]
    config.upcastAttention = found.upcastAttention
    if name == "stable_diffusion_xl" { #expect(found.attentionHeadDim == .many([5, 10, 20])) }
    #expect(found == config)
  }

  @Test func levelsMayDiffer() throws {
    var config = UNetConditionConfig()
    config.blockOutChannels = [32, 64]
    config.downBlockTypes = [.cross, .cross]
    config.upBlockTypes = [.cross, .plain]
    config.layersPerBlock = .many([2, 1])
    config.transformerLayersPerBlock = .many([.many([1, 2]), .one(2)])
    config.reverseTransformerLayersPerBlock = .many([.many([3, 1]), .one(1)])
    config.crossAttentionDim = .one(24)
    config.numClassEmbeds = 7
    config.timeEmbeddingDim = 100
    #expect(config.problem == nil)
    let names = LDMUNetNames.current(config).inverse
    var shapes: [String: [Int]] = [:]
    for (key, tensor) in UNet2DCondition(config, using: nil).state {
      shapes[try #require(names(key))] = tensor.shape
    }
    #expect(UNetConditionConfig(ldm: shapes) == config)
  }

  @Test func theBaseOfTheSecondReleasePredictsNoise() throws {
    let model = try SingleFileModel("sd2")
    try withScratchFolder { folder in
      let path = "\(folder)/base.safetensors"
      let step = ("global_step", Tensor([875_000], shape: [1]))
      try Weights.write(model.tensors.map { ($0.key, $0.value) } + [step], to: path)
      let file = try SingleFileCheckpoint(path: path)
      #expect(!file.predictsVelocity)
      #expect(file.unetConfig?.sampleSize == .square(64))
    }
  }

  @Test func otherFilesAreExplained() throws {
    try withScratchFolder { folder in
      func sentence(_ tensors: [String: Tensor]) throws -> String {
        let path = "\(folder)/other.safetensors"
        try Weights.write(tensors.map { ($0.key, $0.value) }, to: path)
        var found: String?
        do {
          _ = try SingleFileCheckpoint(path: path).unet()
        } catch let error as SafetensorsError {
          #expect(error.path == path)
          found = error.sentence
        }
        return try #require(found)
      }
      let one = Tensor.zeros([1])
      #expect(
        try sentence(["double_blocks.0.img_attn.norm.key_norm.scale": one])
          == "it holds no network under the key names of Stable Diffusion 1.x, 2.x or XL, but for "
          + "example \"double_blocks.0.img_attn.norm.key_norm.scale\"; other models are not supported."
      )
      #expect(
        try sentence(["down_blocks.0.resnets.0.conv1.weight": one]).hasPrefix(
          "its keys are those of diffusers"))
      var tensors = try SingleFileModel("sd1").tensors.filter {
        $0.key.hasPrefix("model.diffusion_model.")
      }
      tensors["model.diffusion_model.input_blocks.4.0.in_layers.2.bias"] = nil
      tensors["model.diffusion_model.out.5.weight"] = one
      let damaged = try sentence(tensors)
      #expect(damaged.hasPrefix("the weights of its U-Net do not fit together: 1 of the network's"))
      #expect(damaged.contains("down_blocks.1.resnets.0.conv1.bias"))
      #expect(damaged.contains("no place in the network: model.diffusion_model.out.5.weight"))
      tensors["model.diffusion_model.out.5.weight"] = nil
      tensors["model.diffusion_model.out.2.weight"] = one
      #expect(try sentence(tensors).hasPrefix("it holds no network"))
    }
  }

  /// Whatever shapes a file claims, they are refused or make networks.
  @Test func nothingInAFileTraps() throws {
    let shapes = try SingleFileModel("sd1").tensors.mapValues(\.shape)
    let keys = shapes.keys.sorted()
    let values = [[], [0], [1], [3, 5], [7, 1, 1], [0, 4, 3, 3], [64, 64]]
    let draws = Tensor.rand([140], using: Generator(seed: 5)).elements(as: Double.self)
    var refused = 0
    try withScratchFolder { folder in
      for round in 0..<24 {
        var shapes = shapes
        for draw in draws.dropFirst(5 * round).prefix(1 + round % 4) {
          let key = keys[Int(draw * Double(keys.count))]
          shapes[key] = round % 5 == 0 ? nil : values[round % values.count]
        }
        let path = "\(folder)/odd.safetensors"
        try Weights.write(shapes.map { ($0.key, Tensor.zeros($0.value)) }, to: path)
        do {
          let file = try SingleFileCheckpoint(path: path)
          if file.unetConfig != nil { _ = try file.unet() }
          if file.autoencoderConfig != nil { _ = try file.autoencoder() }
          _ = try file.textEncoders()
        } catch is SafetensorsError {
          refused += 1
        }
      }
    }
    #expect(refused > 10)
  }

  private func withCheckpoint(
    _ name: String, _ body: (SingleFileCheckpoint, SingleFileModel) throws -> Void
  ) throws {
    let model = try SingleFileModel(name)
    try withScratchFolder { folder in
      let path = "\(folder)/\(name).safetensors"
      try model.write(to: path)
      try body(SingleFileCheckpoint(path: path), model)
    }
  }

  private func expectSame(_ found: Module, _ expected: Module) {
    #expect(found.state.map(\.key) == expected.state.map(\.key))
    for ((key, tensor), (_, other)) in zip(found.state, expected.state) {
      #expect(tensor.isSame(as: other), "\(key)")
    }
  }
}

extension Tensor {
  /// Whether all bits are equal; quick for large networks.
  fileprivate func isSame(as other: Tensor) -> Bool {
    dtype == other.dtype && shape == other.shape && rawBytes() == other.rawBytes()
  }
}
