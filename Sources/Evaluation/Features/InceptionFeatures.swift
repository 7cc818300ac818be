import Interchange
import Models
import Torch

/// The features that the literature's FID is taken of: the last means of ``InceptionV3``, with
/// logits without offsets, as the Inception score takes them.
public struct InceptionFeatures: FeatureExtractor {
  /// Pictures that go through the network at once.
  private static let batchSize = 32

  /// The network and the day of its graph.
  public let name = "Inception-v3 (FID, 2015-12-05)"
  /// SHA-256 of the file of weights.
  public let hash: String
  /// As pytorch-fid resizes.
  public let resizing =
    "bilinear to \(InceptionV3.pictureSize)x\(InceptionV3.pictureSize) without antialiasing, "
    + "as pytorch-fid"
  /// 2048.
  public let width = InceptionV3.featureCount
  private let network: InceptionV3
  private let device: Device

  /// The extractor of a safetensors file with the keys of pytorch-fid's weights.
  ///
  /// Throws `FileError` when the file cannot be read, `SafetensorsError` when it is no valid
  /// safetensors file or holds the weights of another network.
  public init(weights path: String, device: Device = .cpu) throws {
    hash = try Fingerprint.ofFile(path)
    network = try InceptionV3(weights: path)
    network.move(to: device)
    self.device = device
  }

  /// Features `[N, 2048]` and logits `[N, 1008]` on the CPU, for pictures `[N, C, H, W]` in [0, 1]
  /// with C of 1 or 3.
  public func callAsFunction(_ pictures: Tensor) -> Features {
    let count = pictures.size(0)
    guard count > 0 else {
      return Features(
        vectors: .zeros([0, width]), logits: .zeros([0, InceptionV3.classCount]))
    }
    let outputs = stride(from: 0, to: count, by: Self.batchSize).map { start in
      let output = network(pictures[start..<min(start + Self.batchSize, count)].to(device))
      return (output.pool.to(.cpu), output.logitsWithoutOffset.to(.cpu))
    }
    return Features(
      vectors: .concatenated(outputs.map(\.0)), logits: .concatenated(outputs.map(\.1)))
  }
}
