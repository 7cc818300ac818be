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
  public let reconstruction: ReconstructionFigures?
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
    case let diffusion as TrainedDiffusion: diffusion.pipeline.unet.parameterCount
    case let classifier as TrainedClassifier: classifier.classifier.parameterCount
    default: 0
    }
  }
}

/// How held-out pictures come back from their codes, pixel by pixel.
public struct ReconstructionFigures: Sendable, Equatable {
  /// The mean squared error of values in [0, 1].
  public let meanSquaredError: Double
  /// The mean peak signal-to-noise ratio, dB; infinite where a picture comes back exactly.
  public let peakSignalToNoise: Double
  /// The mean SSIM; `nil` for pictures smaller than its window.
  public let similarity: Double?
  /// The number of pictures.
  public let count: Int

  /// Measures the first `limit` held-out pictures, brought to the network's size and back.
  init(of run: TrainedAutoencoder, on data: ComparisonData, limit: Int) throws {
    count = min(data.held.count, limit)
    var (errors, ratios, similarities) = ([Double](), [Double](), [Double]())
    for start in stride(from: 0, to: count, by: 500) {
      let x = try data.held.pictures(start..<min(start + 500, count))
      let shown = x.fitted(toSide: run.imageSize, channels: run.channels)
      let restored = data.fitted(run.decode(run.encode(shown)))
      try restored.requireFinite("reconstructions")
      errors += PictureErrors.meanSquaredError(restored, x).elements(as: Double.self)
      ratios += PictureErrors.peakSignalToNoise(restored, x).elements(as: Double.self)
      if let found = try? StructuralSimilarity.single(restored, x) { similarities += found.values }
    }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    meanSquaredError = mean(errors)
    peakSignalToNoise = mean(ratios)
    similarity = similarities.isEmpty ? nil : mean(similarities)
  }
}
