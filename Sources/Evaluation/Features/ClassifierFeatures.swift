import Foundation
import Models
import Torch
import Training

/// The features of a classifier that was trained here: what it sees just before it decides.
public struct ClassifierFeatures: FeatureExtractor {
  /// The classifier and its data.
  public let name: String
  /// SHA-256 of its weights.
  public let hash: String
  /// How pictures of other sizes come to the network's.
  public var resizing: String {
    "bilinear to \(network.config.imageSize)x\(network.config.imageSize), antialiased"
  }
  /// Numbers in a vector.
  public var width: Int { network.config.featureCount }
  /// The names of the classes that the logits stand for.
  public var classNames: [String]? { network.config.classNames }
  private let trained: TrainedClassifier
  private var network: Classifier { trained.classifier }

  /// The extractor of a classifier's run. Throws an `ExplainedError` for a folder that holds none.
  public init(run path: String, device: Device = .cpu) throws {
    trained = try TrainedClassifier(path: path, device: device)
    name = "classifier (\(trained.record.data.name))"
    hash = trained.weightsHash
  }

  /// The folder of the classifier that ships for a data set; `nil` for sets without one.
  public static func shippedRun(for data: String) -> String? {
    guard data == "fashion-mnist" else { return nil }
    return Bundle.module.url(forResource: "fashion-mnist-classifier", withExtension: nil)?.path
  }

  /// Features and logits of pictures `[N, C, H, W]` in [0, 1].
  public func callAsFunction(_ pictures: Tensor) -> Features {
    let fitted = pictures.fitted(
      toSide: network.config.imageSize, channels: network.config.channels)
    let (features, logits) = trained(fitted)
    return Features(vectors: features, logits: logits)
  }
}

extension Tensor {
  /// Pictures `[N, C, H, W]` brought to a side and to 1 or 3 channels.
  func fitted(toSide side: Int, channels: Int) -> Tensor {
    var x = self
    if size(1) != channels {
      // Luminance as in ITU-R BT.601.
      let weights = Tensor([Float(0.299), 0.587, 0.114]).reshaped([1, 3, 1, 1])
      x = channels == 1 ? (x * weights).sum([1], keepingDims: true) : x.repeated([1, 3, 1, 1])
    }
    guard size(2) != side || size(3) != side else { return x }
    return x.interpolated(to: Extent(side), .bilinear(antialias: true))
  }
}
