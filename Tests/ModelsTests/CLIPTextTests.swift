import Foundation
import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// Text encoders against transformers' `CLIPTextModel` and `CLIPTextModelWithProjection`, from
/// folders that transformers wrote; that of `sd2` is in six files with an index.
@Suite struct CLIPTextTests {
  static let encoders = ["sd1", "sd2", "xl1", "xl2"]

  static func folder(_ name: String) -> String {
    Fixture.folder.appending(path: "text_encoders/\(name)").path
  }

  private func golden(_ name: String) throws -> (model: CLIPTextModel, fixture: Fixture) {
    (try CLIPTextModel(folder: Self.folder(name)), try Fixture("text_encoders/\(name)"))
  }

  @Test(arguments: encoders, ["plain", "masked"])
  func outputsEqualTransformers(_ name: String, _ kind: String) throws {
    let (model, fixture) = try golden(name)
    try withoutGradients {
      let out = model(try fixture["ids"], mask: kind == "masked" ? try fixture["mask"] : nil)
      #expect(out.hiddenStates.count == model.config.numHiddenLayers + 1)
      for (i, state) in out.hiddenStates.enumerated() {
        expectClose(state, try fixture["\(kind).state\(i)"], rtol: 0, atol: 2e-5, "state \(i)")
      }
      expectClose(out.lastHiddenState, try fixture["\(kind).last"], rtol: 0, atol: 2e-5, "last")
      if fixture.contains("\(kind).pooled") {
        expectClose(out.pooled, try fixture["\(kind).pooled"], rtol: 0, atol: 2e-5, "pooled")
      }
      #expect((out.projected != nil) == fixture.contains("\(kind).projected"))
      if let projected = out.projected {
        expectClose(projected, try fixture["\(kind).projected"], rtol: 0, atol: 2e-5, "projected")
      }
    }
  }

  /// The golden texts tell the two rules for the end apart, or the test above would not.
  @Test(arguments: encoders)
  func theOtherRuleForTheEndGivesAnotherOutput(_ name: String) throws {
    let (model, fixture) = try golden(name)
    var config = model.config
    config.eosTokenID = config.eosTokenID == 2 ? 9 : 2
    let other = CLIPTextModel(config, using: nil)
    try other.load(Dictionary(uniqueKeysWithValues: model.state.map { ($0.key, $0.tensor) }))
    try withoutGradients {
      let ids = try fixture["ids"]
      let apart = (model(ids).pooled - other(ids).pooled).abs().max()
      #expect(apart.item() > 0.1)
    }
  }

  @Test(arguments: encoders)
  func skippedLayersEqualDiffusers(_ name: String) throws {
    let (model, fixture) = try golden(name)
    try withoutGradients {
      let out = model(try fixture["ids"])
      expectClose(
        model.normalizedFeatures(out, skipping: 1), try fixture["normalized1"], rtol: 0, atol: 2e-5)
      expectClose(
        model.penultimateFeatures(out, skipping: 1), try fixture["penultimate1"], rtol: 0,
        atol: 2e-5)
      expectEqual(model.normalizedFeatures(out), out.lastHiddenState)
      expectEqual(
        model.penultimateFeatures(out), out.hiddenStates[model.config.numHiddenLayers - 1])
    }
  }

  @Test func gradientsEqualTransformers() throws {
    let (model, fixture) = try golden("xl2")
    let out = model(try fixture["ids"])
    let parts = [try #require(out.projected), model.penultimateFeatures(out), out.lastHiddenState]
    let losses = parts.map { ($0 * GoldenCase.weights(like: $0)).sum() }
    (losses[0] + losses[1] + losses[2]).backward()
    for (key, parameter) in model.namedParameters {
      expectClose(
        try #require(parameter.value.gradient), try fixture["gradients/\(key)"], rtol: 1e-4,
        atol: 1e-4, key)
    }
    let golden = fixture.names.filter { $0.hasPrefix("gradients/") }.count
    #expect(golden == model.namedParameters.count)
  }

  @Test(arguments: encoders)
  func savesWhatTransformersWrote(_ name: String) throws {
    let model = try golden(name).model
    try withScratchFolder { folder in
      try model.save(to: folder)
      let (ours, theirs) = (
        try JSON(contentsOfFile: "\(folder)/config.json"),
        try JSON(contentsOfFile: "\(Self.folder(name))/config.json")
      )
      #expect(ours.object?.keys.sorted() == theirs.object?.keys.sorted())
      for (key, value) in try #require(theirs.object) {
        let isSame =
          ours[key] == value || (value.double != nil && ours[key]?.double == value.double)
        #expect(isSame, "\(key)")
      }
      let again = try CLIPTextModel(folder: folder)
      #expect(again.config == model.config)
      for (a, b) in zip(model.state, again.state) { expectEqual(b.tensor, a.tensor, a.key) }
    }
  }

  /// What files of other versions and precisions hold.
  @Test(arguments: ["bare", "places", "float16", "bfloat16", "half file"])
  func weightsOfOtherFilesLoad(_ kind: String) throws {
    let model = try golden("xl2").model
    try withScratchFolder { folder in
      var state = model.state
      switch kind {
      case "bare":
        state = state.map { ($0.key.replacingOccurrences(of: "text_model.", with: ""), $0.tensor) }
      case "places":
        state.append(
          ("text_model.embeddings.position_ids", Tensor.arange(11).reshaped([1, -1])))
      case "bfloat16": state = state.map { ($0.key, $0.tensor.to(.bfloat16)) }
      default: state = state.map { ($0.key, $0.tensor.to(.float16)) }
      }
      try model.save(to: folder, state: state)
      if kind == "half file" {
        try FileManager.default.moveItem(
          atPath: "\(folder)/model.safetensors", toPath: "\(folder)/model.fp16.safetensors")
      }
      let opened = try CLIPTextModel(folder: folder)
      let rounding = ["bfloat16": 0.01, "float16": 1e-3, "half file": 1e-3]
      let tolerance = rounding[kind] ?? 0
      for (a, b) in zip(model.state, opened.state) {
        expectClose(b.tensor, a.tensor, rtol: 0, atol: tolerance, a.key)
      }
      #expect(opened.state.allSatisfy { $0.tensor.dtype == .float32 })
    }
  }

  @Test func anEncoderMayGoWithoutItsProjection() throws {
    let model = try CLIPTextModel(folder: Self.folder("xl2"), architecture: .plain)
    #expect(model.config.architecture == .plain)
    #expect(!model.state.contains { $0.key == "text_projection.weight" })
  }

  /// The text encoder of Stable Diffusion 1, by the keys and shapes of transformers.
  @Test func aFullSizeEncoderHasTransformersKeys() throws {
    var config = CLIPTextConfig()
    config.hiddenSize = 768
    config.intermediateSize = 3072
    config.numAttentionHeads = 12
    config.projectionDim = 768
    let model = CLIPTextModel(config, using: nil)
    let golden = try JSON(
      contentsOfFile: Fixture.folder.appending(path: "text_encoders/vit_l_14.json").path)
    var shapes: [String: [Int]] = [:]
    for (key, value) in try #require(golden.object) {
      shapes["text_model.\(key)"] = value.array?.compactMap(\.int)
    }
    #expect(
      shapes == Dictionary(uniqueKeysWithValues: model.state.map { ($0.key, $0.tensor.shape) }))
    #expect(config.weightCount == 123_060_480 && config.weightCount == model.parameterCount)
  }

  @Test(arguments: encoders)
  func weightsAreCountedWithoutANetwork(_ name: String) throws {
    let model = try golden(name).model
    #expect(model.parameterCount == model.config.weightCount)
  }

  @Test func firstWeightsHaveTransformersDeviations() throws {
    var config = CLIPTextConfig()
    (config.hiddenSize, config.intermediateSize, config.projectionDim) = (64, 256, 64)
    (config.numHiddenLayers, config.numAttentionHeads, config.vocabSize) = (2, 4, 500)
    config.architecture = .projecting
    let model = CLIPTextModel(config, using: Generator(seed: 3))
    let expected = [
      "token_embedding": 0.02, "position_embedding": 0.02, "q_proj": 0.0625, "k_proj": 0.0625,
      "v_proj": 0.0625, "out_proj": 0.125, "fc1": 0.088388, "fc2": 0.0625, "text_projection": 0.125,
    ]
    for (key, tensor) in model.state {
      if key.hasSuffix(".bias") {
        #expect(tensor.abs().max().item() == 0, "\(key)")
      } else if let deviation = expected.first(where: { key.contains($0.key) })?.value {
        #expect(abs(tensor.square().mean().item().squareRoot() / deviation - 1) < 0.05, "\(key)")
      } else {
        #expect(key.contains("norm") && tensor.min().item() == 1, "\(key)")
      }
    }
    let again = CLIPTextModel(config, using: Generator(seed: 3))
    for (a, b) in zip(model.state, again.state) { expectEqual(a.tensor, b.tensor, a.key) }
  }
}
