import NeuralNets
import Torch

/// What Inception-v3 says about pictures.
public struct InceptionOutput {
  /// The means of the last maps, what FID is taken of: `[N, 2048]`.
  public let pool: Tensor
  /// Logits of the 1008 classes with their offsets, `[N, 1008]`.
  public let logits: Tensor
  /// Logits without offsets, `[N, 1008]`: of these the Inception score is taken (Salimans et al.
  /// 2016, as their code computes it), and torch-fidelity's with them.
  public let logitsWithoutOffset: Tensor
}

/// Inception-v3 (Szegedy et al. 2016) as FID uses it: the network of TensorFlow's graph of
/// 2015-12-05, whose weights pytorch-fid distributes.
///
/// It differs from torchvision's of the same name: averages at an edge leave out what is beyond it,
/// the last block takes the largest where the others average, and there are 1008 classes. Keys are
/// those of pytorch-fid's `pt_inception-2015-12-05-6726825d`. It never trains: batch normalisation
/// uses the stored statistics, and no graph is recorded.
///
/// Limitation: pictures are resized as pytorch-fid resizes them, bilinearly without antialiasing.
/// TensorFlow's own resizing places pixel centres elsewhere, so that figures of the two differ.
public final class InceptionV3: Module {
  let conv1a = ConvNorm(3, 32, kernel: 3, stride: 2)
  let conv2a = ConvNorm(32, 32, kernel: 3)
  let conv2b = ConvNorm(32, 64, kernel: 3, padding: 1)
  let conv3b = ConvNorm(64, 80, kernel: 1)
  let conv4a = ConvNorm(80, 192, kernel: 3)
  let mixed5b = InceptionA(192, poolChannels: 32)
  let mixed5c = InceptionA(256, poolChannels: 64)
  let mixed5d = InceptionA(288, poolChannels: 64)
  let mixed6a = InceptionB(288)
  let mixed6b = InceptionC(768, width: 128)
  let mixed6c = InceptionC(768, width: 160)
  let mixed6d = InceptionC(768, width: 160)
  let mixed6e = InceptionC(768, width: 192)
  let mixed7a = InceptionD(768)
  let mixed7b = InceptionE(1280, .mean)
  let mixed7c = InceptionE(2048, .largest)
  let fc = Linear(featureCount, classCount, using: nil)

  /// Numbers in a vector of features.
  public static let featureCount = 2048
  /// Classes that have a logit.
  public static let classCount = 1008
  /// Height and width that every picture is brought to.
  public static let pictureSize = 299

  /// Keys in the files of pytorch-fid and torchvision.
  public override var keys: [String: String] {
    [
      "conv1a": "Conv2d_1a_3x3", "conv2a": "Conv2d_2a_3x3", "conv2b": "Conv2d_2b_3x3",
      "conv3b": "Conv2d_3b_1x1", "conv4a": "Conv2d_4a_3x3", "mixed5b": "Mixed_5b",
      "mixed5c": "Mixed_5c", "mixed5d": "Mixed_5d", "mixed6a": "Mixed_6a", "mixed6b": "Mixed_6b",
      "mixed6c": "Mixed_6c", "mixed6d": "Mixed_6d", "mixed6e": "Mixed_6e", "mixed7a": "Mixed_7a",
      "mixed7b": "Mixed_7b", "mixed7c": "Mixed_7c",
    ]
  }

  /// A network whose weights are unset, to be loaded.
  public override init() {
    super.init()
  }

  /// The network of a safetensors file with pytorch-fid's keys.
  ///
  /// Counts of training batches and the auxiliary classifier may be there: neither changes what the
  /// network says. Every other key has to fit. Throws `FileError` or `SafetensorsError`, the latter
  /// also with all missing, unused and misshapen keys.
  public convenience init(weights path: String) throws {
    self.init()
    try Weights.load(path, into: self) { key in
      key.hasSuffix(".num_batches_tracked") || key.hasPrefix("AuxLogits.") ? nil : key
    }
  }

  /// The features and logits of pictures `[N, C, H, W]` in [0, 1]; C is 3, or 1 for grey ones.
  public func callAsFunction(_ pictures: Tensor) -> InceptionOutput {
    withoutGradients {
      let maps = layers.reduce(Self.prepared(pictures)) { $1($0) }  // [N, 2048, 8, 8]
      let pool = maps.adaptiveAvgPool2d(1).flattened(from: 1)  // [N, 2048]
      let logits = pool.linear(weight: fc.weight.value)  // [N, 1008]
      let offset = fc.bias?.value
      return InceptionOutput(
        pool: pool, logits: offset.map { logits + $0 } ?? logits, logitsWithoutOffset: logits)
    }
  }

  /// Pictures as the first layer takes them: `[N, 3, 299, 299]` in [−1, 1].
  static func prepared(_ pictures: Tensor) -> Tensor {
    let channels = pictures.size(1)
    precondition(channels == 1 || channels == 3, "a picture has 1 or 3 channels, not \(channels)")
    let resized = pictures.interpolated(to: Extent(pictureSize), .bilinear())
    let coloured = resized.expanded([resized.size(0), 3, pictureSize, pictureSize])
    return (2 * coloured - 1).contiguous(.channelsLast)
  }

  /// Everything before the last mean, in order.
  var layers: [(Tensor) -> Tensor] {
    // [N, 2048, 8, 8]
    levels.flatMap(\.self) + [
      mixed7a.callAsFunction, mixed7b.callAsFunction, mixed7c.callAsFunction,
    ]
  }

  /// What comes before the last block, up to each halving of the resolution; a halving begins a level.
  var levels: [[(Tensor) -> Tensor]] {
    let halved = InceptionPooling.halved
    return [
      [conv1a.callAsFunction, conv2a.callAsFunction, conv2b.callAsFunction],  // [N, 64, 147, 147]
      [halved, conv3b.callAsFunction, conv4a.callAsFunction],  // [N, 192, 71, 71]
      [
        halved, mixed5b.callAsFunction, mixed5c.callAsFunction, mixed5d.callAsFunction,
      ],  // [N, 288, 35, 35]
      [
        mixed6a.callAsFunction, mixed6b.callAsFunction, mixed6c.callAsFunction,
        mixed6d.callAsFunction, mixed6e.callAsFunction,
      ],  // [N, 768, 17, 17]
    ]
  }
}
