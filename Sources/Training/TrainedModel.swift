import Datasets
import Interchange
import Torch

/// A model opened to be used, of any family.
public protocol TrainedModel {
  /// The run's folder, or the folder of a pipeline that was trained elsewhere.
  var folder: RunFolder { get }
  /// What was run; `nil` for a pipeline that was trained elsewhere.
  var origin: RunRecord? { get }
  /// The family, as `latent train` names it.
  var family: Family { get }
  /// SHA-256 of the weights file.
  var weightsHash: String { get }
  /// Pixels along each side; 0 where the network has no one size.
  var imageSize: Int { get }
  /// 1 for grey, 3 for colour.
  var channels: Int { get }
}

extension TrainedModel {
  /// Throws `TrainingError` where pictures of data cannot be brought to the network's size.
  public func requireSize() throws(TrainingError) {
    if let gan = self as? TrainedGAN, gan.makesPoints {
      throw TrainingError(
        path: folder.path,
        "this run draws points in the plane, not pictures; sample, evaluate and diagnose show "
          + "them.")
    }
    guard imageSize > 0 else {
      throw TrainingError(
        path: folder.path,
        "the network's config.json names no square sample_size, and pictures of data are square here."
      )
    }
  }

  /// Opens a set as this model takes it: its picture size, its channels. Without a name it is the
  /// run's own. Of sets in shards it is a sample in memory.
  ///
  /// Throws `DatasetError`, and `TrainingError` where there is no run to name the data.
  public func open(_ data: String?, split: Split) throws -> any Dataset {
    guard let name = data ?? origin?.data.name else {
      throw TrainingError(
        path: folder.path, "this model was trained elsewhere; name the data with --data.")
    }
    try requireSize()
    return try DatasetCatalog.open(name, split: split, imageSize: imageSize, channels: channels)
      .inMemory()
  }
}

/// A model that gives pictures back from a code of them.
public protocol RestoringModel: TrainedModel {
  /// Pictures `[N, C, H, W]` in [0, 1], through encoder and decoder.
  func restored(_ pictures: Tensor) -> Tensor
}

/// Opening models whose family their folder tells.
public enum TrainedModels {
  /// Opens the run, or the pipeline of diffusers, at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it has no trained network yet, or when its
  /// files are damaged or do not belong together.
  public static func open(_ path: String, device: Device = .cpu) throws -> any TrainedModel {
    if TrainedLatentDiffusion.isPipeline(path) {
      return try TrainedLatentDiffusion(path: path, device: device)
    }
    if TrainedDiffusion.isPipeline(path) { return try TrainedDiffusion(path: path, device: device) }
    let record = try RunRecord(of: RunFolder(path: path))
    switch try record.knownFamily(in: RunFolder(path: path)) {
    case .ae, .vae, .vaeGAN: return try TrainedAutoencoder(path: path, device: device)
    case .autoencoderKL: return try TrainedAutoencoderKL(path: path, device: device)
    case .gan: return try TrainedGAN(path: path, device: device)
    case .diffusion: return try TrainedDiffusion(path: path, device: device)
    case .latentDiffusion: throw RunFolder(path: path).noNetwork(.latentDiffusion)
    case .lora:
      throw TrainingError(
        path: path,
        "this run has changes of a model, not a model; draw with `latent generate \"…\" --model MODEL "
          + "--lora \(path)`.")
    case .classifier: return try TrainedClassifier(path: path, device: device)
    }
  }

  /// Opens a run that gives pictures back.
  ///
  /// Throws what `open` throws, and `TrainingError` for a model without an encoder.
  public static func openRestoring(
    _ path: String, device: Device = .cpu
  ) throws -> any RestoringModel {
    let model = try open(path, device: device)
    guard let restoring = model as? any RestoringModel else {
      throw TrainingError(
        path: model.folder.path,
        "this is a run of the family \(model.family.rawValue), which has no codes; ae, vae and "
          + "autoencoder-kl have.")
    }
    return restoring
  }
}

extension RunRecord {
  /// The record's family. Throws `TrainingError` for one that this version does not know.
  func knownFamily(in folder: RunFolder) throws -> Family {
    guard let family = Family(rawValue: family) else {
      throw TrainingError(
        path: folder.recordPath,
        "the family \"\(family)\" is none that this version knows; it knows "
          + Family.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    return family
  }
}

extension RunFolder {
  /// The refusal of a run that has no network yet.
  func noNetwork(_ family: Family) -> TrainingError {
    TrainingError(
      path: path,
      "this run has no trained network yet; go on with `latent train \(family.rawValue) "
        + "--out \(path) --resume`.")
  }
}
