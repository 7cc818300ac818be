import NeuralNets
import Torch

/// Batch normalisation that is told classes where there are any.
final class GeneratorNorm: Module {
  let plain: BatchNorm2d?
  let conditional: ConditionalBatchNorm2d?

  /// The keys of the one that there is stand without a name before them.
  override var keys: [String: String] { ["plain": "", "conditional": ""] }

  init(_ channels: Int, classes: Int) {
    plain = classes == 0 ? BatchNorm2d(channels) : nil
    conditional = classes > 0 ? ConditionalBatchNorm2d(channels, classes: classes) : nil
  }

  /// The normalised `x`, rectified.
  func rectified(_ x: Tensor, labels: Tensor?) -> Tensor {
    if let conditional, let labels { return conditional(x, labels: labels).relu() }
    return plain?(x, leakySlope: 0) ?? x.relu()
  }

  func callAsFunction(_ x: Tensor, labels: Tensor?) -> Tensor {
    if let conditional, let labels { return conditional(x, labels: labels) }
    return plain?(x) ?? x
  }
}

/// The generator of Radford et al. 2016: a code becomes the smallest level, and transposed
/// convolutions double it. `[N, D]` to `[N, C, H, W]` in −1…1.
final class DCGANGenerator: Module, GeneratorLayers {
  let stem: Linear
  let stemNorm: GeneratorNorm
  let conv: Conv2d
  let convNorm: GeneratorNorm
  let up: [ConvTranspose2d]
  let norms: [GeneratorNorm]
  private let start: [Int]

  init(_ config: GANConfig, using generator: Generator?) {
    let widths = Array(config.blockOutChannels.reversed())
    let classes = config.classCount
    start = [widths[0], config.baseSize, config.baseSize]
    // The paper's transposed convolution of a single pixel is a linear layer.
    stem = Linear(config.latentDim, start.reduce(1, *), bias: false, using: generator)
    stemNorm = GeneratorNorm(widths[0], classes: classes)
    conv = Conv2d(widths[0], widths[1], kernel: 3, padding: 1, bias: false, using: generator)
    convNorm = GeneratorNorm(widths[1], classes: classes)
    let ends = widths.dropFirst() + [config.channels]
    up = zip(ends, ends.dropFirst()).enumerated().map { level, ends in
      ConvTranspose2d(
        ends.0, ends.1, kernel: 4, stride: 2, padding: 1, bias: level == widths.count - 2,
        using: generator)
    }
    norms = widths.dropFirst(2).map { GeneratorNorm($0, classes: classes) }
    super.init()
    startAsDCGAN(using: generator)
  }

  func callAsFunction(_ z: Tensor, labels: Tensor?) -> Tensor {
    var h = stem(z).reshaped([-1] + start).contiguous(.channelsLast)
    h = convNorm.rectified(conv(stemNorm.rectified(h, labels: labels)), labels: labels)
    for (up, norm) in zip(up, norms) { h = norm.rectified(up(h), labels: labels) }
    return up[up.count - 1](h).tanh()
  }
}

/// Strided convolutions with LeakyReLU, each but the last of which halves the picture; batch
/// normalisation after all but the first.
final class StridedLevels: Module, Layer {
  let stem: any Layer
  let down: [any Layer]
  let norms: [BatchNorm2d]

  /// `lastKernel`: of the level that does not halve.
  init(_ config: GANConfig, lastKernel: Int, using generator: Generator?) {
    let (widths, spectral) = (config.blockOutChannels, config.spectralNorm)
    let isNormalised = config.discriminatorNorm && !spectral
    stem = makeConvolution(
      config.channels, widths[0], kernel: 4, stride: 2, padding: 1, spectral: spectral,
      using: generator)
    down = zip(widths, widths.dropFirst()).enumerated().map { level, ends in
      let isLast = level == widths.count - 2
      return makeConvolution(
        ends.0, ends.1, kernel: isLast ? lastKernel : 4, stride: isLast ? 1 : 2, padding: 1,
        bias: !isNormalised, spectral: spectral, using: generator)
    }
    norms = isNormalised ? widths.dropFirst().map { BatchNorm2d($0) } : []
  }

  /// Finds singular pairs anew after the first weights were replaced.
  func settle() {
    for layer in [stem] + down { (layer as? any SpectralNormLayer)?.settle() }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var h = stem(x).contiguous(.channelsLast).leakyReLU(slope: 0.2)
    for (level, down) in down.enumerated() {
      h = down(h)
      h = norms.isEmpty ? h.leakyReLU(slope: 0.2) : norms[level](h, leakySlope: 0.2)
    }
    return h
  }
}

/// The discriminator of Radford et al. 2016. `[N, C, H, W]` to `[N]`.
final class DCGANDiscriminator: Module, DiscriminatorLayers {
  let levels: StridedLevels
  let head: ProjectionHead

  init(_ config: GANConfig, using generator: Generator?) {
    levels = StridedLevels(config, lastKernel: 3, using: generator)
    let side = config.baseSize
    head = ProjectionHead(
      config.blockOutChannels.last! * side * side, classes: config.classCount,
      spectral: config.spectralNorm, using: generator)
    super.init()
    startAsDCGAN(using: generator)
    levels.settle()
    head.settle()
  }

  func features(_ x: Tensor) -> Tensor { levels(x) }

  func scores(_ features: Tensor, labels: Tensor?) -> Tensor {
    head(levels: features, labels: labels)
  }
}

extension Module {
  /// The start of Radford et al. 2016: weights from N(0, 0.02), factors of normalisation from
  /// N(1, 0.02), offsets 0.
  func startAsDCGAN(using generator: Generator?) {
    guard let generator else { return }
    withoutGradients {
      for (name, parameter) in namedParameters {
        let value = parameter.value
        if name.hasSuffix("bias") || name.hasSuffix("gamma") || name.hasSuffix("beta") {
          value.copy(from: .zeros(value.shape))
        } else {
          let drawn = Tensor.randn(value.shape, using: generator) * 0.02
          value.copy(from: value.rank == 1 ? drawn + 1 : drawn)
        }
      }
    }
  }
}
