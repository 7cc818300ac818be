import Datasets
import Foundation
import Models
import Torch

/// A set's pictures as the posteriors of an autoencoder, computed once: means over log-variances,
/// `[2 · channels, h, w]` floats each.
public struct CachedLatents: Dataset {
  private let base: any Dataset
  private let moments: [Float]
  /// `[2 · channels, h, w]`.
  public let elementShape: [Int]

  /// Encodes every picture of `base`; pictures whose sides the autoencoder cannot take are mistakes
  /// of the program.
  ///
  /// Throws when a picture cannot be read.
  public init(
    of base: any Dataset, by autoencoder: AutoencoderKL, device: Device, batch: Int = 32,
    progress: (_ done: Int) -> Void = { _ in }
  ) throws {
    self.base = base
    let size = base.elementShape[1] / autoencoder.config.scale
    elementShape = [2 * autoencoder.config.latentChannels, size, size]
    var moments: [Float] = []
    moments.reserveCapacity(base.count * elementShape.reduce(1, *))
    try withoutGradients { () throws in
      for start in stride(from: 0, to: base.count, by: batch) {
        let range = start..<min(start + batch, base.count)
        let posterior = autoencoder.encode(2 * (try base.pictures(range).to(device)) - 1)
        moments += Tensor.concatenated([posterior.mean, posterior.logVariance], 1)
          .to(.cpu).contiguous().elements(as: Float.self)
        progress(range.upperBound)
      }
    }
    self.moments = moments
  }

  /// The name of the set behind.
  public var name: String { base.name }
  /// The number of pictures.
  public var count: Int { base.count }
  /// Always floats.
  public var elementKind: ElementKind { .floats }
  /// None: captions take their place.
  public var classNames: [String]? { nil }
  /// The fingerprint of the set behind.
  public var fingerprint: String { base.fingerprint }

  /// Copies one posterior.
  public func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) {
    let length = elementShape.reduce(1, *)
    moments.withUnsafeBytes {
      destination.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: $0[4 * index * length..<4 * (index + 1) * length]))
    }
  }

  /// None.
  public func label(at index: Int) -> Int? { nil }
  /// The text of a picture.
  public func caption(at index: Int) -> String? { base.caption(at: index) }
  /// Every text of a picture.
  public func captions(at index: Int) -> [String] { base.captions(at: index) }
}

extension AutoencoderKL {
  /// Latents as a diffusion model sees them, drawn from posteriors `[N, 2 · channels, h, w]` with
  /// `noise` `[N, channels, h, w]`.
  func latents(of moments: Tensor, noise: Tensor) -> Tensor {
    let parts = moments.chunked(2, 1)
    return normalized(
      DiagonalGaussian(mean: parts[0], logVariance: parts[1]).sample(noise: noise))
  }

  /// Opens the autoencoder that a setting names: the folder of a run, of a pipeline, or its own.
  ///
  /// Throws an `ExplainedError` when there is none.
  static func found(at path: String) throws -> AutoencoderKL {
    let part = "\(path)/vae"
    let isWhole = FileManager.default.fileExists(atPath: "\(part)/\(ModelFolder.config)")
    return try AutoencoderKL(folder: isWhole ? part : path)
  }
}
