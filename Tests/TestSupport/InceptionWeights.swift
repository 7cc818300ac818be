import Foundation
import Models
import Torch

/// Weights of Inception-v3 that no file holds, by the rule of generators/inception.py.
public enum InceptionWeights {
  /// Every weight, drawn in the order of the keys.
  public static func drawn(seed: UInt64) -> [(key: String, tensor: Tensor)] {
    let generator = Generator(seed: seed)
    return InceptionV3().state.sorted { $0.key < $1.key }.map { key, tensor in
      let x = Tensor.randn(tensor.shape, using: generator)
      if tensor.rank > 1 {
        let fanIn = tensor.shape.dropFirst().reduce(1, *)
        return (key, x * (2 / Double(fanIn)).squareRoot())
      }
      if key.hasSuffix("running_var") { return (key, x.abs() * 0.5 + 0.5) }
      if key.hasSuffix("bn.weight") { return (key, x * 0.1 + 1) }
      return (key, x * 0.1)
    }
  }

  /// Writes them as pytorch-fid's file would hold them, with the keys that may be there besides.
  public static func write(seed: UInt64, to path: String) throws {
    let counts = [
      "Conv2d_1a_3x3.bn.num_batches_tracked", "Mixed_7c.branch_pool.bn.num_batches_tracked",
    ]
    let extras =
      counts.map { ($0, Tensor(1, dtype: .int64)) } + [("AuxLogits.fc.bias", Tensor.zeros([1008]))]
    try Weights.write(drawn(seed: seed) + extras, to: path)
  }
}
