import Foundation
import Interchange
import Models
import Torch

/// A classifier's run, opened to be used.
public struct TrainedClassifier: TrainedModel {
  /// The folder of the network inside a run.
  public static let folderName = "classifier"

  /// The run's folder.
  public let folder: RunFolder
  /// What was run.
  public let record: RunRecord
  /// The averaged network, ready for use.
  public let classifier: Classifier
  /// SHA-256 of the weights file.
  public let weightsHash: String

  /// What was run.
  public var origin: RunRecord? { record }
  /// The classifier.
  public var family: Family { .classifier }
  /// Pixels along each side.
  public var imageSize: Int { classifier.config.imageSize }
  /// 1 for grey, 3 for colour.
  public var channels: Int { classifier.config.channels }

  /// Opens the run at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it is of another family, when it has no
  /// trained network yet, or when its files are damaged or do not belong together.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    record = try RunRecord(of: folder)
    guard try record.knownFamily(in: folder) == .classifier else {
      throw TrainingError(
        path: folder.path, "this is a run of the family \(record.family), not a classifier.")
    }
    let network = "\(folder.path)/\(Self.folderName)"
    guard FileManager.default.fileExists(atPath: network) else {
      throw folder.noNetwork(.classifier)
    }
    classifier = try Classifier(folder: network)
    weightsHash = try Fingerprint.ofFile("\(network)/\(ModelFolder.weights)")
    classifier.setTraining(false)
    classifier.move(to: device)
  }

  /// Features and logits of pictures `[N, C, H, W]` in [0, 1], a few at a time: `[N, D]`, `[N, K]`.
  public func callAsFunction(_ pictures: Tensor) -> (features: Tensor, logits: Tensor) {
    let device = classifier.parameters[0].value.device
    return withoutGradients {
      let parts = stride(from: 0, to: pictures.size(0), by: 256).map { start in
        classifier.features(
          pictures[start..<min(start + 256, pictures.size(0))].to(device))
      }
      let features = Tensor.concatenated(parts)
      return (features.to(.cpu), classifier.logits(features).to(.cpu))
    }
  }
}
