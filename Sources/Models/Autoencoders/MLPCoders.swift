import NeuralNets
import Torch

/// Pixels to numbers through fully connected layers: `[N, C, H, W]` to `[N, outputs]`.
final class MLPEncoder: Module, Layer {
  let hidden: [Linear]
  let head: Linear
  private let activation: Activation.Kind

  init(_ config: AutoencoderConfig, outputs: Int, using generator: Generator?) {
    let pixels = config.channels * config.imageSize * config.imageSize
    let widths = [pixels] + config.hiddenDims
    hidden = zip(widths, widths.dropFirst()).map { Linear($0, $1, using: generator) }
    head = Linear(widths.last!, outputs, using: generator)
    activation = config.activation
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    (hidden + [head])(x.flattened(from: 1), between: activation)
  }
}

/// A code to pixels through fully connected layers: `[N, D]` to `[N, C, H, W]`.
final class MLPDecoder: Module, Layer {
  let hidden: [Linear]
  let head: Linear
  private let activation: Activation.Kind
  private let shape: [Int]

  init(_ config: AutoencoderConfig, using generator: Generator?) {
    let widths = [config.latentDim] + config.hiddenDims.reversed()
    shape = [config.channels, config.imageSize, config.imageSize]
    hidden = zip(widths, widths.dropFirst()).map { Linear($0, $1, using: generator) }
    head = Linear(widths.last!, shape.reduce(1, *), using: generator)
    activation = config.activation
  }

  func callAsFunction(_ z: Tensor) -> Tensor {
    (hidden + [head])(z, between: activation).reshaped([-1] + shape)
  }
}
