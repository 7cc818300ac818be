import Diffusion
import Foundation
import Interchange
import Models
import Torch

/// A text-to-image model that was trained here, or a folder of diffusers with one.
public struct TrainedLatentDiffusion: TrainedModel {
  /// The folder.
  public let folder: RunFolder
  /// What was run; `nil` where it was trained elsewhere.
  public let origin: RunRecord?
  /// U-Net, autoencoder, text encoders and scheduler.
  public let pipeline: TextToImagePipeline
  /// SHA-256 of the U-Net's weights file.
  public let weightsHash: String

  /// Latent diffusion.
  public var family: Family { .latentDiffusion }
  /// Pixels along each side; 0 where the U-Net names no size, or one that is not square.
  public var imageSize: Int {
    guard let size = pipeline.usualSize, size.height == size.width else { return 0 }
    return size.height
  }
  /// Colour.
  public var channels: Int { 3 }

  /// Whether a folder holds such a model.
  public static func isPipeline(_ path: String) -> Bool {
    TextToImagePipeline.isPipeline(RunFolder(path: path).path)
  }

  /// Opens the run or pipeline at a path.
  ///
  /// Throws an `ExplainedError` when files are missing, damaged or do not belong together.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    let isRun = FileManager.default.fileExists(atPath: folder.recordPath)
    origin = isRun ? try RunRecord(of: folder) : nil
    pipeline = try TextToImagePipeline(folder: folder.path)
    weightsHash = try Fingerprint.ofFile(ModelFolder.weightsPath(in: "\(folder.path)/unet"))
    pipeline.packForInference()
    pipeline.move(to: device)
  }
}
