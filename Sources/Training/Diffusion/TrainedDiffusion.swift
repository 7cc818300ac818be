import Diffusion
import Foundation
import Interchange
import Models
import Torch

/// A diffusion model that was trained here, or a folder of diffusers with a U-Net over pixels.
public struct TrainedDiffusion: TrainedModel {
  /// The folder.
  public let folder: RunFolder
  /// What was run; `nil` where it was trained elsewhere.
  public let origin: RunRecord?
  /// The network, its scheduler and its classes.
  public let pipeline: DiffusionPipeline
  /// SHA-256 of the weights file.
  public let weightsHash: String

  /// The diffusion model.
  public var family: Family { .diffusion }
  /// Pixels along each side; 0 where the network names no size, or one that is not square.
  public var imageSize: Int {
    guard let size = pipeline.unet.config.sampleSize?.extents, size.height == size.width else {
      return 0
    }
    return size.height
  }
  /// 1 for grey, 3 for colour.
  public var channels: Int { pipeline.unet.config.inChannels }

  /// Whether a folder holds a pipeline.
  public static func isPipeline(_ path: String) -> Bool {
    DiffusionPipeline.isPipeline(RunFolder(path: path).path)
  }

  /// Opens the run or pipeline at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it has no trained network yet, or when its
  /// files are damaged or do not belong together.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    let isRun = FileManager.default.fileExists(atPath: folder.recordPath)
    guard Self.isPipeline(path) else {
      let record = try RunRecord(of: folder)
      guard try record.knownFamily(in: folder) == .diffusion else {
        throw TrainingError(
          path: folder.path, "this is a run of the family \(record.family), not of diffusion.")
      }
      throw folder.noNetwork(.diffusion)
    }
    origin = isRun ? try RunRecord(of: folder) : nil
    pipeline = try DiffusionPipeline(folder: folder.path)
    pipeline.unet.packForInference()
    weightsHash = try Fingerprint.ofFile(
      ModelFolder.weightsPath(in: DiffusionPipeline.part("unet", of: folder.path)))
    pipeline.unet.setTraining(false)
    pipeline.unet.move(to: device)
  }

  /// A class by its name or its number.
  ///
  /// Throws `TrainingError` for one that the model does not know, with the nearest one.
  public func label(_ text: String) throws(TrainingError) -> Int {
    try pipeline.classNames.label(text, of: folder.path)
  }
}
