import Datasets
import Diffusion
import Foundation
import Models
import Torch
import Training

/// One run's part of a comparison.
public struct ComparedRun {
  /// Pictures drawn in one way, and how good they are.
  public struct Drawing {
    /// The steps of a diffusion model; `nil` for other families.
    public let steps: Int?
    /// The measures.
    public let measures: SampleMeasures
  }

  /// A bound on the likelihood of held-out pictures.
  public enum Bound: Equatable, Sendable {
    /// −ELBO of a variational autoencoder in nats a picture, and the likelihood that it is of.
    case nats(Double, likelihood: String)
    /// The variational bound of a diffusion model.
    case bitsPerDimension(Double)
  }

  /// What the page calls the run.
  public let name: String
  /// The path as it was given.
  public let path: String
  /// The family.
  public let family: Family
  /// SHA-256 of the weights file.
  public let weightsHash: String
  /// Numbers that were learned.
  public let parameters: Int
  /// What was run; `nil` for a pipeline that was trained elsewhere.
  public let record: RunRecord?
  /// The size of its pictures.
  public let side: Int
  /// Ways of drawing, by rising steps; the last is the one in the tables.
  public let drawings: [Drawing]
  /// How pictures come back, where there is an encoder.
  public let reconstruction: ReconstructionMeasures?
  /// The likelihood, where the family has one.
  public let bound: Bound?
  /// The first pictures of the last way of drawing, as they are compared, `[N, C, H, W]`.
  public let pictures: Tensor
  /// What could not be measured, and what was done to the pictures; one sentence each.
  public let notes: [String]

  /// The drawing in the tables.
  public var drawing: Drawing { drawings[drawings.count - 1] }
}

extension TrainedModel {
  /// Numbers that were learned.
  var parameterCount: Int {
    switch self {
    case let autoencoder as TrainedAutoencoder: autoencoder.autoencoder.parameterCount
    case let autoencoder as TrainedAutoencoderKL: autoencoder.autoencoder.parameterCount
    case let gan as TrainedGAN: gan.generator.parameterCount
    case let diffusion as TrainedDiffusion: diffusion.pipeline.unet.parameterCount
    case let classifier as TrainedClassifier: classifier.classifier.parameterCount
    default: 0
    }
  }
}
