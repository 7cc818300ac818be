import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// Inception-v3 against pytorch-fid's, at weights that both draw.
///
/// Sums of up to 4032 products, dozens in a row: in float32 the order of a sum and the place of the
/// normalisation move a value by up to 2.4e-6 of its layer's largest here, 6e-7 in pool and logits;
/// the tolerance is 1e-5. It has been seen to fail for an epsilon of 1e-5, for padding that counts in
/// a mean, for a mean in the last block, and for two blocks exchanged.
@Suite struct InceptionTests {
  static let pictures = ["colour", "grey"]

  /// The network through a file, as the tool opens it.
  private func network() throws -> InceptionV3 {
    try withScratchFolder { folder in
      try InceptionWeights.write(seed: 11, to: "\(folder)/weights.safetensors")
      return try InceptionV3(weights: "\(folder)/weights.safetensors")
    }
  }

  /// Expects closeness relative to the largest expected value.
  private func expectNear(
    _ actual: Tensor, _ expected: Tensor, _ share: Double, _ comment: String
  ) {
    let largest = expected.abs().max().item()
    expectClose(actual, expected, rtol: 0, atol: share * largest, comment)
  }

  @Test func equalsPytorchFID() throws {
    let (network, fixture) = (try network(), try Fixture("inception/fid"))
    for name in Self.pictures {
      let pictures = try fixture[name]
      let maps = try fixture["\(name).maps"]
      withoutGradients {
        var x = InceptionV3.prepared(pictures)
        #expect(network.layers.count == maps.size(0))
        for (i, layer) in network.layers.enumerated() {
          x = layer(x)
          let places = Tensor.arange(256) * (x.count / 256)
          let some = x.reshaped([-1]).selected(0, at: places)
          expectNear(some, maps[i], 1e-5, "\(name), layer \(i)")
        }
        #expect(x.shape == [1, 2048, 8, 8] && x.isContiguous(.channelsLast))
      }
      let output = network(pictures)
      expectNear(output.pool, try fixture["\(name).pool"], 1e-5, "\(name), pool")
      expectNear(output.logits, try fixture["\(name).logits"], 1e-5, "\(name), logits")
      expectNear(
        output.logitsWithoutOffset, try fixture["\(name).logits_without_bias"], 1e-5,
        "\(name), logits without offset")
      #expect(!output.pool.requiresGradient && !output.logits.requiresGradient)
    }
  }

  @Test func keysAreThoseOfTheFile() {
    let state = InceptionV3().state
    let shapes = Dictionary(uniqueKeysWithValues: state.map { ($0.key, $0.tensor.shape) })
    #expect(shapes["Conv2d_1a_3x3.conv.weight"] == [32, 3, 3, 3])
    #expect(shapes["Mixed_5b.branch1x1.bn.running_mean"] == [64])
    #expect(shapes["Mixed_6c.branch7x7dbl_2.conv.weight"] == [160, 160, 7, 1])
    #expect(shapes["Mixed_7a.branch7x7x3_4.bn.weight"] == [192])
    #expect(shapes["Mixed_7c.branch3x3dbl_3b.conv.weight"] == [384, 384, 3, 1])
    #expect(shapes["fc.weight"] == [1008, 2048])
    // 94 convolutions with four tensors of normalisation each, and the classifier.
    #expect(state.count == 94 * 5 + 2)
    #expect(state.reduce(0) { $0 + $1.tensor.count } == 23_885_392)
  }

  @Test func weightsOfAnotherNetworkAreRefusedAsAWhole() throws {
    try withScratchFolder { folder in
      let path = "\(folder)/weights.safetensors"
      let others: [(key: String, tensor: Tensor)] = [
        ("fc.weight", .zeros([1000, 2048])), ("layer1.0.conv1.weight", .zeros([64, 64, 1, 1])),
        ("bn1.num_batches_tracked", Tensor(3, dtype: .int64)),
      ]
      try Weights.write(others, to: path)
      let error = #expect(throws: SafetensorsError.self) { try InceptionV3(weights: path) }
      let sentence = try #require(error).sentence
      #expect(sentence.hasPrefix("these weights do not fit the network: 471 of the network's"))
      #expect(sentence.contains("1 weights of the file have no place in the network: layer1.0"))
      #expect(sentence.contains("fc.weight is [1000, 2048], the network's is [1008, 2048]"))
      #expect(error?.path == path)
    }
  }
}
