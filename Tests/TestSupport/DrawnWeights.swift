import NeuralNets
import Torch

extension Module {
  /// Overwrites all weights by the rule of generators/_networks.py, so that no file holds them: in the
  /// order of their keys, matrices and kernels by their fan, one factors around 1.
  public func draw(seed: UInt64) throws {
    let random = Generator(seed: seed)
    var drawn: [String: Tensor] = [:]
    for (key, tensor) in state.sorted(by: { $0.key < $1.key }) {
      let x = Tensor.randn(tensor.shape, using: random)
      if tensor.rank > 1 {
        drawn[key] = x * (1 / Double(tensor.count / tensor.size(0))).squareRoot()
      } else {
        drawn[key] = key.hasSuffix("weight") ? x * 0.1 + 1 : x * 0.1
      }
    }
    try load(drawn)
  }
}
