import Interchange
import NeuralNets
import Torch

/// A small residual network (He et al. 2016) that tells classes apart. What it sees just before it
/// decides, the mean over the picture of its last level, are the features that pictures are compared
/// by.
public final class Classifier: Module {
  private let levels: [ClassifierLevel]
  private let head: Linear
  /// The network's shape.
  public let config: ClassifierConfig

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  public init(_ config: ClassifierConfig, using generator: Generator?) {
    let widths = [config.channels] + config.blockOutChannels
    levels = zip(widths, widths.dropFirst()).enumerated().map { level, widths in
      ClassifierLevel(widths.0, widths.1, stride: level == 0 ? 1 : 2, using: generator)
    }
    head = Linear(config.featureCount, config.classNames.count, using: generator)
    self.config = config
  }

  /// The features of pictures in [0, 1]: `[N, C, H, W]` to `[N, D]`.
  public func features(_ x: Tensor) -> Tensor {
    let start = (2 * x - 1).contiguous(.channelsLast)
    return levels.reduce(start) { $1($0) }.inFullPrecision.mean([2, 3])  // [N, D, h, w] to [N, D]
  }

  /// The logits of features: `[N, D]` to `[N, K]`.
  public func logits(_ features: Tensor) -> Tensor { head(features).inFullPrecision }

  /// The logits of pictures in [0, 1]: `[N, C, H, W]` to `[N, K]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { logits(features(x)) }

  /// Writes `config.json` and the weights in `state` (default: the network's own) into a folder
  /// that exists. Throws `FileError` when the disk refuses.
  public func save(to folder: String, state: [(key: String, tensor: Tensor)]? = nil) throws {
    try ModelFolder.write(config, state ?? self.state, to: folder)
  }

  /// The network that `save(to:)` wrote.
  ///
  /// Throws an `ExplainedError` that names the file for a missing or damaged one, an impossible
  /// configuration, or weights that do not fit it.
  public convenience init(folder: String) throws {
    let config: ClassifierConfig = try ModelFolder.readConfig(in: folder) { $0.problem }
    self.init(config, using: nil)
    try Weights.load("\(folder)/\(ModelFolder.weights)", into: self)
  }
}

/// A convolution to the level's width, halving the picture with a stride of 2, then two convolutions
/// beside a shortcut: `[N, in, H, W]` to `[N, out, H / stride, W / stride]`.
final class ClassifierLevel: Module, Layer {
  let conv: Conv2d
  let norm: BatchNorm2d
  let conv1: Conv2d
  let norm1: BatchNorm2d
  let conv2: Conv2d
  let norm2: BatchNorm2d

  init(_ inputs: Int, _ outputs: Int, stride: Int, using generator: Generator?) {
    func convolution(_ inputs: Int, stride: Int = 1) -> Conv2d {
      Conv2d(
        inputs, outputs, kernel: 3, stride: Extent(stride), padding: 1, bias: false,
        using: generator)
    }
    conv = convolution(inputs, stride: stride)
    norm = BatchNorm2d(outputs)
    conv1 = convolution(outputs)
    norm1 = BatchNorm2d(outputs)
    conv2 = convolution(outputs)
    norm2 = BatchNorm2d(outputs)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = norm(conv(x)).relu()
    return (h + norm2(conv2(norm1(conv1(h)).relu()))).relu()
  }
}
