import NeuralNets
import Torch

/// Fully connected layers with LeakyReLU from a code, and a class's vector beside it, to a sample:
/// points as they come, pictures through tanh.
final class MLPGenerator: Module, GeneratorLayers {
  let classes: Embedding?
  let hidden: [Linear]
  let head: Linear
  private let shape: [Int]

  init(_ config: GANConfig, using generator: Generator?) {
    let width = config.latentDim
    classes = config.classCount > 0 ? Embedding(config.classCount, width, using: generator) : nil
    shape =
      config.imageSize == 0
      ? [config.channels]
      : [config.channels, config.imageSize, config.imageSize]
    let widths = [config.classCount > 0 ? 2 * width : width] + config.hiddenDims
    hidden = zip(widths, widths.dropFirst()).map { Linear($0, $1, using: generator) }
    head = Linear(config.hiddenDims.last!, shape.reduce(1, *), using: generator)
  }

  func callAsFunction(_ z: Tensor, labels: Tensor?) -> Tensor {
    let start = labels.flatMap { labels in
      classes.map { Tensor.concatenated([z, $0(labels)], 1) }
    }
    let x = head(hidden.reduce(start ?? z) { $1($0).leakyReLU(slope: 0.2) })
    return shape.count == 1 ? x : x.tanh().reshaped([-1] + shape)
  }
}

/// Fully connected layers with LeakyReLU from a sample to a score.
final class MLPDiscriminator: Module, DiscriminatorLayers {
  let hidden: [any Layer]
  let head: ProjectionHead

  init(_ config: GANConfig, using generator: Generator?) {
    let side = max(config.imageSize, 1)
    let widths = [config.channels * side * side] + config.hiddenDims
    hidden = zip(widths, widths.dropFirst()).map {
      makeLinear($0, $1, spectral: config.spectralNorm, using: generator)
    }
    head = ProjectionHead(
      config.hiddenDims.last!, classes: config.classCount, spectral: config.spectralNorm,
      using: generator)
  }

  func features(_ x: Tensor) -> Tensor {
    hidden.reduce(x.flattened(from: 1)) { $1($0).leakyReLU(slope: 0.2) }
  }

  func scores(_ features: Tensor, labels: Tensor?) -> Tensor { head(features, labels: labels) }
}
