import NeuralNets
import Torch

/// A residual block of Miyato et al. 2018 (figure 8) in the generator: normalised, doubled, two 3×3
/// convolutions beside a 1×1. `[N, in, H, W]` to `[N, out, 2H, 2W]`.
final class SNGANUpBlock: Module {
  let norm1: GeneratorNorm
  let conv1: Conv2d
  let norm2: GeneratorNorm
  let conv2: Conv2d
  let shortcut: Conv2d

  init(_ inputs: Int, _ outputs: Int, classes: Int, using generator: Generator?) {
    norm1 = GeneratorNorm(inputs, classes: classes)
    conv1 = Conv2d(inputs, outputs, kernel: 3, padding: 1, using: generator)
    norm2 = GeneratorNorm(outputs, classes: classes)
    conv2 = Conv2d(outputs, outputs, kernel: 3, padding: 1, using: generator)
    shortcut = Conv2d(inputs, outputs, kernel: 1, using: generator)
  }

  func callAsFunction(_ x: Tensor, labels: Tensor?) -> Tensor {
    let size = Extent(2 * x.size(2), 2 * x.size(3))
    let h = conv1(norm1(x, labels: labels).relu().interpolated(to: size))
    // A 1×1 convolution and repeating pixels can change places, and this way is a quarter the work.
    return conv2(norm2(h, labels: labels).relu()) + shortcut(x).interpolated(to: size)
  }
}

/// The residual generator of Miyato et al. 2018 (appendix B.4). `[N, D]` to `[N, C, H, W]` in −1…1.
final class SNGANGenerator: Module, GeneratorLayers {
  let stem: Linear
  let blocks: [SNGANUpBlock]
  let norm: BatchNorm2d
  let head: Conv2d
  private let start: [Int]

  init(_ config: GANConfig, using generator: Generator?) {
    let widths = Array(config.blockOutChannels.reversed())
    start = [widths[0], config.baseSize, config.baseSize]
    stem = Linear(config.latentDim, start.reduce(1, *), using: generator)
    blocks = zip(widths, widths.dropFirst()).map {
      SNGANUpBlock($0, $1, classes: config.classCount, using: generator)
    }
    norm = BatchNorm2d(widths.last!)
    head = Conv2d(widths.last!, config.channels, kernel: 3, padding: 1, using: generator)
    super.init()
    startAsSNGAN(using: generator)
  }

  func callAsFunction(_ z: Tensor, labels: Tensor?) -> Tensor {
    let h = blocks.reduce(stem(z).reshaped([-1] + start)) { $1($0, labels: labels) }
    return head(norm(h).relu()).tanh()
  }
}

/// A residual block of Miyato et al. 2018 in the discriminator: two 3×3 convolutions beside a 1×1,
/// then the mean of four pixels where it halves. The first block begins with pixels, so it has no
/// ReLU before them. `[N, in, H, W]` to `[N, out, H, W]` or `[N, out, H/2, W/2]`.
final class SNGANDownBlock: Module, Layer {
  let conv1: any Layer
  let conv2: any Layer
  let shortcut: any Layer
  private let halves: Bool
  private let isFirst: Bool

  init(
    _ inputs: Int, _ outputs: Int, halves: Bool, isFirst: Bool, spectral: Bool,
    using generator: Generator?
  ) {
    func convolution(_ inputs: Int, _ kernel: Int) -> any Layer {
      makeConvolution(
        inputs, outputs, kernel: kernel, padding: kernel / 2, spectral: spectral, using: generator)
    }
    conv1 = convolution(inputs, 3)
    conv2 = convolution(outputs, 3)
    shortcut = convolution(inputs, 1)
    self.halves = halves
    self.isFirst = isFirst
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = conv2(conv1(isFirst ? x : x.relu()).relu())
    guard halves else { return h + shortcut(x) }
    // The mean of four and a 1×1 convolution can change places.
    return h.avgPool2d(kernel: 2, stride: 2) + shortcut(x.avgPool2d(kernel: 2, stride: 2))
  }
}

/// The residual discriminator of Miyato et al. 2018, its features summed over the picture.
/// `[N, C, H, W]` to `[N]`.
final class SNGANDiscriminator: Module, DiscriminatorLayers {
  let blocks: [SNGANDownBlock]
  let head: ProjectionHead

  init(_ config: GANConfig, using generator: Generator?) {
    let widths = [config.channels] + config.blockOutChannels
    let last = widths.count - 2
    blocks = zip(widths, widths.dropFirst()).enumerated().map { level, ends in
      SNGANDownBlock(
        ends.0, ends.1, halves: level < last, isFirst: level == 0, spectral: config.spectralNorm,
        using: generator)
    }
    head = ProjectionHead(
      widths.last!, classes: config.classCount, spectral: config.spectralNorm, using: generator)
    super.init()
    startAsSNGAN(using: generator)
    for block in blocks {
      for layer in [block.conv1, block.conv2, block.shortcut] {
        (layer as? any SpectralNormLayer)?.settle()
      }
    }
    head.settle()
  }

  func features(_ x: Tensor) -> Tensor { blocks.reduce(x) { $1($0) }.relu() }

  func scores(_ features: Tensor, labels: Tensor?) -> Tensor {
    head(features.sum([2, 3]), labels: labels)
  }
}

extension Module {
  /// Xavier's start of all weights, √2 as large in residual branches, as the authors have it;
  /// offsets 0.
  fileprivate func startAsSNGAN(using generator: Generator?) {
    guard let generator else { return }
    withoutGradients {
      for (name, parameter) in namedParameters {
        let value = parameter.value
        if name.hasSuffix("bias") {
          value.copy(from: .zeros(value.shape))
        } else if value.rank > 1, !name.hasSuffix("gamma"), !name.hasSuffix("beta") {
          let gain = name.contains(".conv1.") || name.contains(".conv2.") ? 2.0.squareRoot() : 1
          Initializer.xavierUniform(gain: gain).fill(value, using: generator)
        }
      }
    }
  }
}
