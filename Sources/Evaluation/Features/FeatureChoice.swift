import Datasets
import Foundation
import Torch

/// Which features pictures are compared by, as `--features` names them.
public enum FeatureChoice: Sendable, Equatable {
  /// The classifier that ships for the data set; the components of its pixels for sets without one.
  case automatic
  /// The components of the training pictures' pixels.
  case pixels
  /// Inception-v3 with the weights in a safetensors file.
  case inception(path: String)
  /// A classifier's run.
  case classifier(path: String)

  /// `pixels`, a safetensors file of Inception-v3's weights, or the folder of a classifier's run.
  public init(_ text: String) {
    switch text {
    case "auto": self = .automatic
    case "pixels": self = .pixels
    case _ where text.hasSuffix(".safetensors"): self = .inception(path: text)
    default: self = .classifier(path: text)
    }
  }

  /// The extractor for a data set, whose training part `training` gives when it is needed.
  ///
  /// Throws an `ExplainedError` for files that are missing, damaged or of another network.
  public func extractor(
    for data: String, device: Device, training: () throws -> any Dataset
  ) throws -> any FeatureExtractor {
    switch self {
    case .automatic:
      if let run = ClassifierFeatures.shippedRun(for: data) {
        return try ClassifierFeatures(run: run, device: device)
      }
      return try PixelFeatures(of: training())
    case .pixels: return try PixelFeatures(of: training())
    case .inception(let path): return try InceptionFeatures(weights: path, device: device)
    case .classifier(let path): return try ClassifierFeatures(run: path, device: device)
    }
  }
}
