import Datasets
import Foundation
import Interchange
import Models
import Torch

/// A run that was trained, opened to be used: its record and its averaged network.
public struct TrainedRun {
  /// The run's folder.
  public let folder: RunFolder
  /// What was run.
  public let record: RunRecord
  /// The network of an autoencoder or a variational autoencoder, ready for use.
  public let autoencoder: Autoencoder
  /// SHA-256 of the weights file.
  public let weightsHash: String

  /// Opens the run at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it has no trained network yet, or when its
  /// files are damaged or do not belong together.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    record = try RunRecord(of: folder)
    guard let family = Family(rawValue: record.family) else {
      throw TrainingError(
        path: folder.recordPath,
        "the family \"\(record.family)\" is none that this version knows; it knows "
          + Family.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    let network = "\(folder.path)/\(AutoencoderTraining.folderName(family.kind))"
    guard FileManager.default.fileExists(atPath: network) else {
      throw TrainingError(
        path: folder.path,
        "this run has no trained network yet; go on with `latent train \(record.family) "
          + "--out \(folder.path) --resume`.")
    }
    autoencoder = try Autoencoder(folder: network)
    guard autoencoder.config.kind == family.kind else {
      throw TrainingError(
        path: network,
        "the network is a \(autoencoder.config.kind.rawValue), "
          + "but run.json says \(record.family).")
    }
    weightsHash = try Fingerprint.ofFile("\(network)/\(Autoencoder.FileName.weights)")
    autoencoder.setTraining(false)
    autoencoder.move(to: device)
  }

  /// Opens a set as this run's network takes it: its picture size, its channels.
  public func open(_ data: String?, split: Split) throws -> any Dataset {
    let set = try DatasetCatalog.open(
      data ?? record.data.name, split: split, imageSize: autoencoder.config.imageSize,
      channels: autoencoder.config.channels)
    return set
  }

  /// New pictures: codes drawn from N(0, 1), decoded; `[count, C, H, W]` in [0, 1].
  ///
  /// Picture i is drawn with `seed + i`, so it does not depend on how many are drawn with it.
  public func sample(_ count: Int, seed: UInt64) -> Tensor {
    let codes = (0..<count).map {
      Tensor.randn(
        [1, autoencoder.config.latentDim], using: Generator(seed: seed &+ UInt64($0)))
    }
    return decode(Tensor.concatenated(codes))
  }

  /// The pictures of codes `[N, D]`, a few at a time; `[N, C, H, W]` in [0, 1].
  public func decode(_ codes: Tensor) -> Tensor {
    let device = autoencoder.parameters[0].value.device
    return withoutGradients {
      let parts = stride(from: 0, to: codes.size(0), by: 256).map {
        autoencoder.decode(codes[$0..<min($0 + 256, codes.size(0))].to(device)).to(.cpu)
      }
      return Tensor.concatenated(parts)
    }
  }

  /// The codes of pictures `[N, C, H, W]`; `[N, D]`.
  public func encode(_ pictures: Tensor) -> Tensor {
    let device = autoencoder.parameters[0].value.device
    return withoutGradients { autoencoder.encode(pictures.to(device)).to(.cpu) }
  }
}

/// The families that `latent train` knows.
public enum Family: String, CaseIterable, Sendable {
  /// The autoencoder.
  case ae
  /// The variational autoencoder.
  case vae

  /// Point or distribution.
  public var kind: AutoencoderConfig.Kind { self == .vae ? .variational : .deterministic }

  /// What the family is, in a few words.
  public var summary: String {
    switch self {
    case .ae: "autoencoder: compresses and restores; draws from its code space are broken"
    case .vae: "variational autoencoder (β-VAE with beta > 1): its code space can be drawn from"
    }
  }
}
