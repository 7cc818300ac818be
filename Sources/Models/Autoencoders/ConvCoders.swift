import NeuralNets
import Torch

/// Two 3×3 convolutions beside a shortcut, nonlinearities first (He et al. 2016, "pre-activation").
final class ResidualBlock: Module, Layer {
  let conv1: Conv2d
  let conv2: Conv2d
  private let activation: Activation.Kind

  init(_ channels: Int, _ activation: Activation.Kind, using generator: Generator?) {
    conv1 = Conv2d(channels, channels, kernel: 3, padding: 1, using: generator)
    conv2 = Conv2d(channels, channels, kernel: 3, padding: 1, using: generator)
    self.activation = activation
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    x + conv2(activation(conv1(activation(x))))
  }
}

/// Pixels to numbers: each level halves the picture by a 4×4 convolution of stride 2, then fully
/// connected layers read the last one. `[N, C, H, W]` to `[N, outputs]`.
final class ConvEncoder: Module, Layer {
  let down: [Conv2d]
  let blocks: [[ResidualBlock]]
  let hidden: [Linear]
  let head: Linear
  private let activation: Activation.Kind

  init(_ config: AutoencoderConfig, outputs: Int, using generator: Generator?) {
    let channels = [config.channels] + config.blockOutChannels
    down = zip(channels, channels.dropFirst()).map {
      Conv2d($0, $1, kernel: 4, stride: 2, padding: 1, using: generator)
    }
    blocks = config.blockOutChannels.map { channels in
      (0..<config.layersPerBlock).map { _ in
        ResidualBlock(channels, config.activation, using: generator)
      }
    }
    let side = config.sides.last!
    let widths = [channels.last! * side * side] + config.hiddenDims
    hidden = zip(widths, widths.dropFirst()).map { Linear($0, $1, using: generator) }
    head = Linear(widths.last!, outputs, using: generator)
    activation = config.activation
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var h = x
    for (down, blocks) in zip(down, blocks) {
      // A picture of one channel lies both ways at once, and would go on in the slower one.
      let halved = down(h).contiguous(.channelsLast)  // [N, c, H/2, W/2]
      h = activation(blocks.reduce(halved) { $1($0) })
    }
    return (hidden + [head])(h.flattened(from: 1), between: activation)
  }
}

/// The encoder's mirror image: fully connected layers, then each level doubles the picture by a
/// 4×4 transposed convolution. `[N, D]` to `[N, C, H, W]`.
final class ConvDecoder: Module, Layer {
  let hidden: [Linear]
  let blocks: [[ResidualBlock]]
  let up: [ConvTranspose2d]
  private let activation: Activation.Kind
  private let start: [Int]

  init(_ config: AutoencoderConfig, using generator: Generator?) {
    let channels = Array(([config.channels] + config.blockOutChannels).reversed())
    let sides = Array(config.sides.reversed())
    start = [channels[0], sides[0], sides[0]]
    let widths = [config.latentDim] + config.hiddenDims.reversed() + [start.reduce(1, *)]
    hidden = zip(widths, widths.dropFirst()).map { Linear($0, $1, using: generator) }
    blocks = channels.dropLast().map { channels in
      (0..<config.layersPerBlock).map { _ in
        ResidualBlock(channels, config.activation, using: generator)
      }
    }
    up = channels.indices.dropLast().map { level in
      // An odd side lost a pixel on its way down and gets it back here.
      ConvTranspose2d(
        channels[level], channels[level + 1], kernel: 4, stride: 2, padding: 1,
        outputPadding: Extent(sides[level + 1] - 2 * sides[level]), using: generator)
    }
    activation = config.activation
  }

  func callAsFunction(_ z: Tensor) -> Tensor {
    var h = hidden(z, between: activation).reshaped([-1] + start).contiguous(.channelsLast)
    for (blocks, up) in zip(blocks, up) {
      h = up(activation(blocks.reduce(h) { $1($0) }))
    }
    return h
  }
}
