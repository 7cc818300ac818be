import Foundation
import NeuralNets
import Torch

/// A residual block of Huang et al. 2024 (figure 4): 1×1 to twice the width, 3×3 in groups, 1×1
/// back, LeakyReLU between, no normalisation. `[N, C, H, W]` to the same.
///
/// It starts as the identity, and its first two convolutions are scaled down by the number of blocks
/// (Zhang et al. 2019, "Fixup").
final class R3GANBlock: Module, Layer {
  let conv1: Conv2d
  let conv2: Conv2d
  let conv3: Conv2d

  init(_ width: Int, groupSize: Int, blocks: Int, using generator: Generator?) {
    let inner = 2 * width
    conv1 = Conv2d(width, inner, kernel: 1, bias: true, using: generator)
    conv2 = Conv2d(
      inner, inner, kernel: 3, padding: 1, groups: groupSize > 0 ? inner / groupSize : 1,
      bias: true, using: generator)
    conv3 = Conv2d(inner, width, kernel: 1, bias: false, using: generator)
    super.init()
    guard let generator else { return }
    let share = pow(Double(blocks), -0.25)
    conv1.start(gain: share, using: generator)
    conv2.start(gain: share, using: generator)
    conv3.start(gain: 0, using: generator)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = conv2(conv1(x).leakyReLU(slope: 0.2)).leakyReLU(slope: 0.2)
    return x + conv3(h)
  }
}

/// The generator of Huang et al. 2024. `[N, D]` to `[N, C, H, W]` about −1…1, without a bound.
///
/// A learned basis of the smallest level is weighed by a linear map of the code, and the class's
/// vector beside it; every level is residual blocks, and between levels a 1×1 convolution and
/// bilinear doubling. With a `patchSize` over 1 each place of the last level is a patch of pixels.
final class R3GANGenerator: Module, GeneratorLayers {
  let classes: Embedding?
  let basis: Parameter
  let weighing: Linear
  let levels: [[R3GANBlock]]
  let transitions: [Conv2d]
  let head: Conv2d
  private let patchSize: Int

  init(_ config: GANConfig, using generator: Generator?) {
    patchSize = config.patchSize
    let pixels = config.channels * patchSize * patchSize
    let widths = Array(config.blockOutChannels.reversed())
    let side = config.baseSize
    let count = widths.count * config.layersPerBlock
    let told = config.classCount > 0 ? 2 : 1
    classes =
      config.classCount > 0
      ? Embedding(config.classCount, config.latentDim, using: generator) : nil
    basis = Parameter(Initializer.normal().tensor([widths[0], side, side], using: generator))
    weighing = Linear(
      told * config.latentDim, widths[0], bias: false, using: generator)
    levels = widths.map { width in
      (0..<config.layersPerBlock).map { _ in
        R3GANBlock(width, groupSize: config.groupSize, blocks: count, using: generator)
      }
    }
    transitions = zip(widths, widths.dropFirst()).map {
      Conv2d($0, $1, kernel: 1, bias: false, using: generator)
    }
    head = Conv2d(widths.last!, pixels, kernel: 1, bias: false, using: generator)
    super.init()
    guard let generator else { return }
    withoutGradients {
      Initializer.normal(deviation: pow(Double(weighing.weight.value.size(1)), -0.5))
        .fill(weighing.weight.value, using: generator)
    }
    for transition in transitions { transition.start(gain: 1 / Self.gain, using: generator) }
    head.start(gain: 1 / Self.gain, using: generator)
  }

  /// What keeps the size of values through LeakyReLU with slope 0.2.
  static let gain = (2 / (1 + 0.2 * 0.2)).squareRoot()

  func callAsFunction(_ z: Tensor, labels: Tensor?) -> Tensor {
    let code = labels.flatMap { labels in
      classes.map { Tensor.concatenated([z, $0(labels)], 1) }
    }
    // [N, C] · [C, h, w] to [N, C, h, w]
    var h = weighing(code ?? z).unsqueezed(-1).unsqueezed(-1) * basis.value
    h = h.contiguous(.channelsLast)
    for (level, blocks) in levels.enumerated() {
      if level > 0 {
        h = transitions[level - 1](h).interpolated(
          to: Extent(2 * h.size(2), 2 * h.size(3)), .bilinear(antialias: false))
      }
      h = blocks.reduce(h) { $1($0) }
    }
    return patchSize == 1 ? head(h) : head(h).pixelShuffled(patchSize)
  }
}

/// The discriminator of Huang et al. 2024, the generator's mirror image. `[N, C, H, W]` to `[N]`.
final class R3GANDiscriminator: Module, DiscriminatorLayers {
  let stem: Conv2d
  let levels: [[R3GANBlock]]
  let transitions: [Conv2d]
  let basis: Conv2d
  let head: ProjectionHead
  private let patchSize: Int

  init(_ config: GANConfig, using generator: Generator?) {
    patchSize = config.patchSize
    let pixels = config.channels * patchSize * patchSize
    let widths = config.blockOutChannels
    let count = widths.count * config.layersPerBlock
    stem = Conv2d(pixels, widths[0], kernel: 1, bias: false, using: generator)
    levels = widths.map { width in
      (0..<config.layersPerBlock).map { _ in
        R3GANBlock(width, groupSize: config.groupSize, blocks: count, using: generator)
      }
    }
    transitions = zip(widths, widths.dropFirst()).map {
      Conv2d($0, $1, kernel: 1, bias: false, using: generator)
    }
    // Every channel by a filter as large as the level.
    basis = Conv2d(
      widths.last!, widths.last!, kernel: Extent(config.baseSize), groups: widths.last!,
      bias: false, using: generator)
    head = ProjectionHead(
      widths.last!, classes: config.classCount, spectral: false, using: generator)
    super.init()
    guard let generator else { return }
    for layer in [stem, basis] + transitions {
      layer.start(gain: 1 / R3GANGenerator.gain, using: generator)
    }
  }

  func features(_ x: Tensor) -> Tensor {
    let patches = patchSize == 1 ? x : x.pixelUnshuffled(patchSize)
    var h = stem(patches).contiguous(.channelsLast)
    for (level, blocks) in levels.enumerated() {
      if level > 0 {
        h = transitions[level - 1](
          h.interpolated(to: Extent(h.size(2) / 2, h.size(3) / 2), .bilinear(antialias: false)))
      }
      h = blocks.reduce(h) { $1($0) }
    }
    return h
  }

  func scores(_ features: Tensor, labels: Tensor?) -> Tensor {
    head(basis(features).flattened(from: 1), labels: labels)
  }
}

extension Conv2d {
  /// Weights from N(0, σ²) with σ = gain · √2 / √((1 + 0.2²) · fan in); offsets 0.
  fileprivate func start(gain: Double, using generator: Generator) {
    withoutGradients {
      let fan = Double(weight.value.count / weight.value.size(0))
      weight.value.copy(
        from: Tensor.randn(weight.value.shape, using: generator)
          * (gain * R3GANGenerator.gain / fan.squareRoot()))
      if let bias { bias.value.copy(from: .zeros(bias.value.shape)) }
    }
  }
}
