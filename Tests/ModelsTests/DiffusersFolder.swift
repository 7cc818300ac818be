import Foundation
import Interchange
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Models

/// A network's folder as diffusers wrote it, with golden numbers beside it.
struct DiffusersFolder {
  let path: String
  static let weights = "diffusion_pytorch_model.safetensors"

  /// `Tests/Fixtures/<group>/<name>`.
  init(_ group: String, _ name: String) {
    path = Fixture.folder.appending(path: "\(group)/\(name)").path
  }

  /// Expects that another folder holds the same configuration and the same weights.
  func expectEqual(
    _ folder: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (ours, theirs) = (
      try JSON(contentsOfFile: "\(folder)/config.json"),
      try JSON(contentsOfFile: "\(path)/config.json")
    )
    #expect(
      ours.object?.keys.sorted() == theirs.object?.keys.sorted(), sourceLocation: sourceLocation)
    for (key, value) in try #require(theirs.object) {
      let isSame =
        ours[key] == value || (value.double != nil && ours[key]?.double == value.double)
      #expect(isSame, "\(key)", sourceLocation: sourceLocation)
    }
    let written = try Weights.read("\(folder)/\(Self.weights)")
    let given = try Weights.read("\(path)/\(Self.weights)")
    #expect(written.keys.sorted() == given.keys.sorted(), sourceLocation: sourceLocation)
    for (key, tensor) in given {
      TestSupport.expectEqual(
        try #require(written[key]), tensor, key, sourceLocation: sourceLocation)
    }
  }

  /// Which file `open` says what about, once keys of the configuration have other values.
  func saying(
    _ values: [String: JSON], _ open: (String) throws -> Void
  ) throws -> (file: String?, sentence: String) {
    try withScratchFolder { folder in
      var json = try JSON(contentsOfFile: "\(path)/config.json")
      for (key, value) in values { json[key] = value }
      try json.write(to: "\(folder)/config.json")
      try FileManager.default.copyItem(
        atPath: "\(path)/\(Self.weights)", toPath: "\(folder)/\(Self.weights)")
      var found: (any ExplainedError)?
      do {
        try open(folder)
      } catch {
        found = error as? any ExplainedError
      }
      let error = try #require(found)
      return (error.path.map { URL(filePath: $0).lastPathComponent }, error.sentence)
    }
  }

  /// Puts many values under every key of the configuration and hands on what can be read; returns
  /// how many could not.
  func readingEverything(_ body: (JSON) throws -> Void) throws -> (refused: Int, read: Int) {
    let given = try JSON(contentsOfFile: "\(path)/config.json")
    let values: [JSON] = [
      nil, true, 0, 1, -1, 2, 7, 0.5, -0.5, 1e30, 4_611_686_018_427_387_904, .int(.min),
      .int(.max), "", "timestep", "projection", "text_time", [], [0], [1, 2], [[1], [2, 3]],
      ["DownBlock2D", "CrossAttnDownBlock2D"], [4, 8, .int(.max)], [true, false], [:],
    ]
    var (refused, read) = (0, 0)
    for key in try #require(given.object).keys {
      for value in values {
        var json = given
        json[key] = value
        do {
          try body(json)
          read += 1
        } catch is JSONError {
          refused += 1
        }
      }
    }
    return (refused, read)
  }
}

/// One change to diffusers' file and the sentence that it earns.
struct ConfigChange: Sendable, CustomTestStringConvertible {
  let sentence: String
  let values: [String: JSON]
  var testDescription: String { sentence }

  init(_ sentence: String, _ values: [String: JSON]) {
    self.sentence = sentence
    self.values = values
  }
}

extension Module {
  /// The sum of every weight, in the order of the keys: tells one order of draws from another.
  var sums: Tensor {
    .stacked(state.sorted { $0.key < $1.key }.map { $0.tensor.to(.float64).sum() })
  }

  /// Takes over the weights of a network of the same shape.
  func load(from other: Module) throws {
    try load(Dictionary(uniqueKeysWithValues: other.state.map { ($0.key, $0.tensor) }))
  }

  /// Expects the keys and shapes that a golden file lists.
  func expectShapes(_ shapes: JSON?, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let golden = try #require(shapes?.object)
    #expect(
      state.map(\.key).sorted() == golden.keys.sorted(), sourceLocation: sourceLocation)
    for (key, tensor) in state {
      let shape = golden[key]?.array?.compactMap(\.int)
      #expect(tensor.shape == shape, "\(key)", sourceLocation: sourceLocation)
    }
  }

  /// Expects the gradients that a fixture holds for every parameter.
  func expectGradients(
    _ fixture: Fixture, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for (key, parameter) in namedParameters where fixture.contains("gradients/\(key)") {
      expectClose(
        try #require(parameter.value.gradient), try fixture["gradients/\(key)"], rtol: 1e-4,
        atol: 1e-4, key, sourceLocation: sourceLocation)
    }
    let golden = fixture.names.filter { $0.hasPrefix("gradients/") }.count
    #expect(golden == namedParameters.count, sourceLocation: sourceLocation)
  }
}

/// Expects that no element is off by more than 2e-5 of the largest.
func expectNear(
  _ actual: Tensor, _ expected: Tensor, sourceLocation: SourceLocation = #_sourceLocation
) {
  let largest = expected.abs().max().item()
  expectClose(
    actual, expected, rtol: 0, atol: 2e-5 * largest, sourceLocation: sourceLocation)
}
