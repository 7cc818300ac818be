import Datasets
import Foundation
import Interchange
import Models
import Torch

/// An autoencoder's run, deterministic or variational, opened to be used.
public struct TrainedAutoencoder: RestoringModel {
  /// The run's folder.
  public let folder: RunFolder
  /// What was run.
  public let record: RunRecord
  /// Deterministic or variational.
  public let family: Family
  /// The averaged network, ready for use.
  public let autoencoder: Autoencoder
  /// SHA-256 of the weights file.
  public let weightsHash: String

  /// What was run.
  public var origin: RunRecord? { record }
  /// Pixels along each side.
  public var imageSize: Int { autoencoder.config.imageSize }
  /// 1 for grey, 3 for colour.
  public var channels: Int { autoencoder.config.channels }

  /// Opens the run at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it is of another family, when it has no
  /// trained network yet, or when its files are damaged or do not belong together.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    record = try RunRecord(of: folder)
    family = try record.knownFamily(in: folder)
    guard let kind = family.autoencoderKind else {
      throw TrainingError(
        path: folder.path,
        "this is a run of the family \(record.family), which has no codes; ae and vae have.")
    }
    let network = "\(folder.path)/\(AutoencoderTraining.folderName(kind))"
    guard FileManager.default.fileExists(atPath: network) else { throw folder.noNetwork(family) }
    autoencoder = try Autoencoder(folder: network)
    guard autoencoder.config.kind == kind else {
      throw TrainingError(
        path: network,
        "the network is of the kind \(autoencoder.config.kind.rawValue), "
          + "but run.json says \(record.family).")
    }
    weightsHash = try Fingerprint.ofFile("\(network)/\(Autoencoder.FileName.weights)")
    autoencoder.setTraining(false)
    autoencoder.move(to: device)
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

  /// Pictures `[N, C, H, W]` in [0, 1], through their codes and back.
  public func restored(_ pictures: Tensor) -> Tensor { decode(encode(pictures)) }

  /// The codes of pictures `[N, C, H, W]`; `[N, D]`.
  public func encode(_ pictures: Tensor) -> Tensor {
    let device = autoencoder.parameters[0].value.device
    return withoutGradients { autoencoder.encode(pictures.to(device)).to(.cpu) }
  }

  /// q(z | x) of pictures `[N, C, H, W]`, of a variational autoencoder; `[N, D]`.
  public func posterior(_ pictures: Tensor) -> DiagonalGaussian {
    let device = autoencoder.parameters[0].value.device
    return withoutGradients {
      let posterior = autoencoder.posterior(pictures.to(device))
      return DiagonalGaussian(
        mean: posterior.mean.to(.cpu), logVariance: posterior.logVariance.to(.cpu))
    }
  }
}
