import Foundation
import Interchange
import Models
import Torch

/// A KL autoencoder's run, opened to be used.
public struct TrainedAutoencoderKL: RestoringModel {
  /// The run's folder.
  public let folder: RunFolder
  /// What was run.
  public let record: RunRecord
  /// The averaged network, ready for use.
  public let autoencoder: AutoencoderKL
  /// SHA-256 of the weights file.
  public let weightsHash: String

  /// The KL autoencoder.
  public var family: Family { .autoencoderKL }
  /// What was run.
  public var origin: RunRecord? { record }
  /// Pixels along each side.
  public var imageSize: Int { autoencoder.config.sampleSize.extents?.height ?? 0 }
  /// 1 for grey, 3 for colour.
  public var channels: Int { autoencoder.config.inChannels }

  /// Opens the run at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it is of another family, when it has no
  /// trained network yet, or when its files are damaged.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    record = try RunRecord(of: folder)
    guard try record.knownFamily(in: folder) == .autoencoderKL else {
      throw TrainingError(
        path: folder.path, "this is a run of the family \(record.family), not of autoencoder-kl.")
    }
    let network = "\(folder.path)/\(AutoencoderKLTrainer.folderName)"
    guard FileManager.default.fileExists(atPath: network) else {
      throw folder.noNetwork(.autoencoderKL)
    }
    autoencoder = try AutoencoderKL(folder: network)
    weightsHash = try Fingerprint.ofFile(ModelFolder.weightsPath(in: network))
    autoencoder.setTraining(false)
    autoencoder.move(to: device)
  }

  /// Pictures `[N, C, H, W]` in [0, 1], through the mean of their latents and back.
  public func restored(_ pictures: Tensor) -> Tensor {
    autoencoder.restored(pictures.to(autoencoder.parameters[0].value.device)).to(.cpu)
  }
}

extension AutoencoderKL {
  /// Pictures `[N, C, H, W]` in [0, 1], through the mean of their latents and back, a few at a time.
  public func restored(_ pictures: Tensor) -> Tensor {
    withoutGradients {
      let parts = stride(from: 0, to: pictures.size(0), by: 50).map {
        decodePictures(encode(2 * pictures[$0..<min($0 + 50, pictures.size(0))] - 1).mean)
      }
      return Tensor.concatenated(parts)
    }
  }

  /// The pictures of latents, held in [0, 1].
  func decodePictures(_ z: Tensor) -> Tensor {
    (decode(z) / 2 + 0.5).clamped(min: 0, max: 1)
  }
}
