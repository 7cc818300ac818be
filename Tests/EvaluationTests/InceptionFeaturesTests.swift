import Evaluation
import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@Suite struct InceptionFeaturesTests {
  @Test func featuresAreTheNetworksWhateverTheBatch() throws {
    try withScratchFolder { folder in
      let path = "\(folder)/weights.safetensors"
      try InceptionWeights.write(seed: 3, to: path)
      let extractor = try InceptionFeatures(weights: path)
      #expect(extractor.hash == (try Fingerprint.ofFile(path)) && extractor.width == 2048)

      // One more than a batch; small ones would take as long, for all are resized.
      let pictures = Tensor.rand([33, 1, 4, 4], using: Generator(seed: 1))
      let features = extractor(pictures)
      let logits = try #require(features.logits)
      #expect(features.vectors.shape == [33, 2048] && logits.shape == [33, 1008])
      let network = try InceptionV3(weights: path)
      for i in [0, 32] {
        let alone = network(pictures[i..<(i + 1)])
        let (pool, bound) = (alone.pool, 1e-5 * alone.pool.abs().max().item())
        expectClose(features.vectors[i..<(i + 1)], pool, rtol: 0, atol: bound, "picture \(i)")
        let offset = 1e-5 * alone.logits.abs().max().item()
        expectClose(
          logits[i..<(i + 1)], alone.logitsWithoutOffset, rtol: 0, atol: offset, "picture \(i)")
      }

      let none = extractor(pictures[0..<0])
      #expect(none.vectors.shape == [0, 2048] && none.logits?.shape == [0, 1008])
    }
  }

  @Test func filesThatHoldNoWeightsAreRefused() throws {
    try withScratchFolder { folder in
      let text = "\(folder)/weights.pth"
      try Data("no safetensors".utf8).write(to: URL(filePath: text))
      #expect(throws: SafetensorsError.self) { try InceptionFeatures(weights: text) }
      #expect(throws: FileError.self) { try InceptionFeatures(weights: "\(folder)/missing") }
    }
  }
}
