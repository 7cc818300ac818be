import Foundation
import Interchange
import TestSupport
import Testing

@testable import Models

/// Folders that no text encoder can be made of.
@Suite struct CLIPTextFolderTests {
  struct Change: Sendable, CustomTestStringConvertible {
    let sentence: String
    let values: [String: JSON]
    var testDescription: String { sentence }

    init(_ sentence: String, _ values: [String: JSON]) {
      self.sentence = sentence
      self.values = values
    }
  }

  static let changes = [
    Change("vocab_size is 0; it must lie in 1...16777216.", ["vocab_size": 0]),
    Change("hidden_size is -4; it must lie in 1...65536.", ["hidden_size": -4]),
    Change("num_hidden_layers is 0; it must lie in 1...1024.", ["num_hidden_layers": 0]),
    Change(
      "num_attention_heads is 3, which does not divide a hidden_size of 20.",
      ["num_attention_heads": 3]),
    Change("layer_norm_eps is -1.0; it must not be negative.", ["layer_norm_eps": -1]),
    Change(
      "projection_dim is missing; CLIPTextModelWithProjection needs it.", ["projection_dim": nil]),
    Change("projection_dim is 0; it must lie in 1...65536.", ["projection_dim": 0]),
    Change(
      "\"hidden_act\": found \"quik_gelu\", but one of \"quick_gelu\", \"gelu\" is expected; "
        + "did you mean \"quick_gelu\"?", ["hidden_act": "quik_gelu"]),
    Change(
      "\"model_type\": found \"t5\", but \"clip_text_model\" is expected.", ["model_type": "t5"]),
    Change(
      "\"eos_token_id\": found an array, but a whole number is expected.", ["eos_token_id": [1, 2]]),
  ]

  private func saying(_ values: [String: JSON], encoder: String = "xl2") throws -> (
    file: String?, sentence: String
  ) {
    try withScratchFolder { folder in
      let given = CLIPTextTests.folder(encoder)
      for file in try FileManager.default.contentsOfDirectory(atPath: given) {
        try FileManager.default.copyItem(atPath: "\(given)/\(file)", toPath: "\(folder)/\(file)")
      }
      var json = try JSON(contentsOfFile: "\(given)/config.json")
      for (key, value) in values { json[key] = value }
      try json.write(to: "\(folder)/config.json")
      var found: (any ExplainedError)?
      do {
        _ = try CLIPTextModel(folder: folder)
      } catch {
        found = error as? any ExplainedError
      }
      let error = try #require(found)
      return (error.path.map { URL(filePath: $0).lastPathComponent }, error.sentence)
    }
  }

  @Test(arguments: changes)
  func badConfigurationsAreExplained(_ change: Change) throws {
    let (file, sentence) = try saying(change.values)
    #expect(file == "config.json")
    #expect(sentence == change.sentence)
  }

  @Test func weightsThatDoNotFitAreNamed() throws {
    let (file, sentence) = try saying(["vocab_size": 49])
    #expect(file == "model.safetensors")
    #expect(
      sentence.hasSuffix(
        "1 weights have another shape: text_model.embeddings.token_embedding.weight is [50, 20], "
          + "the network's is [49, 20]."))
    let (index, missing) = try saying(["num_hidden_layers": 3], encoder: "sd2")
    #expect(index == "model.safetensors.index.json")
    #expect(missing.contains("16 of the network's weights are missing in the file"))
  }

  @Test func aMissingFileOfAnIndexIsNamed() throws {
    try withScratchFolder { folder in
      let given = CLIPTextTests.folder("sd2")
      for file in ["config.json", "model.safetensors.index.json"] {
        try FileManager.default.copyItem(atPath: "\(given)/\(file)", toPath: "\(folder)/\(file)")
      }
      _ = #expect {
        try CLIPTextModel(folder: folder)
      } throws: {
        "\($0)".contains("model-00001-of-00006.safetensors")
      }
    }
  }

  @Test func silentKeysHaveTransformersDefaults() throws {
    let config: CLIPTextConfig = try JSON.object([:]).decode()
    #expect(config == CLIPTextConfig() && config.problem == nil)
  }

  @Test func unknownKeysAreWrittenBack() throws {
    let file: JSON = ["torch_dtype": "float16", "myNote": ["a": 1], "eos_token_id": 2]
    let written = try JSON(encoding: try file.decode(CLIPTextConfig.self))
    #expect(written["torch_dtype"] == "float16" && written["myNote"] == ["a": 1])
    #expect(written["eos_token_id"] == 2 && written["architectures"] == ["CLIPTextModel"])
  }

  @Test func tokenizersThatDoNotFitAreExplained() {
    let config = CLIPTextConfig()
    #expect(config.problem(forVocabulary: 49_408, windowLength: 77) == nil)
    #expect(
      config.problem(forVocabulary: 49_409, windowLength: 77)?.hasPrefix(
        "the tokenizer has ids up to 49408, the text encoder's vocab_size is 49408") == true)
    #expect(
      config.problem(forVocabulary: 100, windowLength: 78)?.hasPrefix(
        "the tokenizer's windows of 78 ids exceed") == true)
    #expect(config.problem(forSkipping: 12) == nil)
    #expect(
      config.problem(forSkipping: 13)
        == "13 layers cannot be skipped of a text encoder with 12")
  }

  /// Whatever stands in a file is refused with an error or a sentence, or makes a network.
  @Test func nothingInAFileTraps() throws {
    let given = try JSON(contentsOfFile: "\(CLIPTextTests.folder("xl2"))/config.json")
    let values: [JSON] = [
      nil, true, 0, 1, -1, 7, 0.5, -0.5, 1e30, 4_611_686_018_427_387_904, .int(.min), .int(.max),
      "", "gelu", [], [0], ["CLIPTextModel"], [:],
    ]
    var (refused, explained, built) = (0, 0, 0)
    for key in try #require(given.object).keys {
      for value in values {
        var json = given
        json[key] = value
        guard let config: CLIPTextConfig = try? json.decode() else {
          refused += 1
          continue
        }
        if config.problem != nil {
          explained += 1
        } else if config.weightCount < 1 << 20 {
          _ = CLIPTextModel(config, using: nil)
          built += 1
        }
      }
    }
    #expect(refused > 50 && explained > 30 && built > 50)
  }
}
