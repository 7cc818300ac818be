import Datasets
import Diffusion
import Foundation
import Models
import Torch
import Training

/// How well a diffusion model's network sees through the noise, level by level, beside the best
/// linear guess.
///
/// The guess knows of every pixel mean and variance s² over the training pictures, and nothing else.
/// Of x_t = α x_0 + σ ε it makes an error of c² s² / (α² s² + σ²) in the network's target, with
/// c = α for ε, σ for x_0, α² + σ² for v and α + σ for a flow: the error of x_0 in the best linear
/// estimate, σ² s² / (α² s² + σ²), seen in the target.
public struct DenoisingFacts {
  /// Some neighbouring levels of noise.
  public struct Bin: Sendable {
    /// The levels, from 0.
    public let levels: Range<Int>
    /// The network's mean squared error.
    public let error: Double
    /// That of the linear guess at the same levels.
    public let trivial: Double
    /// The variance of what the network predicts.
    public let target: Double

    /// All fields.
    public init(levels: Range<Int>, error: Double, trivial: Double, target: Double) {
      self.levels = levels
      self.error = error
      self.trivial = trivial
      self.target = target
    }
  }

  /// From the least noise to the most.
  public let bins: [Bin]

  /// Facts of one's own.
  public init(bins: [Bin]) { self.bins = bins }

  /// c² s² / (α² s² + σ²) for the variance s² of a value.
  public static func trivialError(
    of prediction: Prediction, at level: SignalLevel, variance s2: Double
  ) -> Double {
    let (alpha, sigma) = (level.alpha, level.sigma)
    let c: Double =
      switch prediction {
      case .epsilon: alpha
      case .sample: sigma
      case .velocity: alpha * alpha + sigma * sigma
      case .flow: alpha + sigma
      }
    let seen = alpha * alpha * s2 + sigma * sigma
    return seen > 0 ? c * c * s2 / seen : 0
  }

  /// The variance of what the network predicts, for the variance s² of a value.
  public static func targetVariance(
    of prediction: Prediction, at level: SignalLevel, variance s2: Double
  ) -> Double {
    switch prediction {
    case .epsilon: 1
    case .sample: s2
    case .velocity: level.alpha * level.alpha + level.sigma * level.sigma * s2
    case .flow: 1 + s2
    }
  }
}

extension DenoisingFacts: Diagnosable {
  /// What the checks of the levels said.
  public var verdicts: [Finding?] { [worseThanTrivial, barelyDenoises] }

  /// Levels at which the network does worse than the linear guess, by more than a fiftieth of what
  /// it predicts.
  public var worseThanTrivial: Finding? {
    let threshold = 0.02
    let bad = bins.filter { ($0.error - $0.trivial) / max($0.target, 1e-12) > threshold }
    guard
      let worst = bad.max(by: {
        ($0.error - $0.trivial) / $0.target < ($1.error - $1.trivial) / $1.target
      })
    else { return nil }
    return Finding(
      "worse_than_trivial", figure: (worst.error - worst.trivial) / worst.target,
      threshold: threshold,
      String(
        format: "at levels %d to %d the squared error is %.3g, and %.3g for the best linear guess; "
          + "%d of %d parts of the levels are such.",
        worst.levels.lowerBound, worst.levels.upperBound - 1, worst.error, worst.trivial, bad.count,
        bins.count),
      why: "at such levels sampling follows a network that knows less than mean and variance of "
        + "the pixels.",
      remedy:
        "train longer; if other levels are fine, weigh them alike (min_snr_gamma=0) or choose "
        + "another prediction_type; see that scheduler_config.json is the one of the training.")
  }

  /// A network that is hardly better than the linear guess over all levels together.
  public var barelyDenoises: Finding? {
    let (error, trivial) = (
      bins.reduce(0) { $0 + $1.error }, bins.reduce(0) { $0 + $1.trivial }
    )
    let (ratio, threshold) = (error / max(trivial, 1e-12), 0.9)
    guard ratio > threshold else { return nil }
    return Finding(
      "barely_denoises", figure: ratio, threshold: threshold,
      String(
        format: "over all levels the squared error is %.2f times that of the best linear guess.",
        ratio),
      why: "the network has learned little beyond the mean and the variance of every pixel, so its "
        + "samples are blotches.",
      remedy: "train longer, with a larger learning_rate, or with a larger network.")
  }
}

/// Measures a network's error at levels of noise, always at the same levels with the same noise.
struct DenoisingProbe {
  /// Parts that the levels are divided into.
  static let binCount = 8

  let model: TrainedDiffusion
  let process: TrainingLevels
  let prediction: Prediction
  let seed: UInt64
  /// The variance of every value of a picture in [−1, 1] over the training pictures, `[C, H, W]`.
  private let variances: [Double]

  /// Throws when a picture cannot be read.
  init(_ model: TrainedDiffusion, training: any Dataset, seed: UInt64) throws {
    self.model = model
    self.seed = seed
    let config = model.pipeline.scheduler.config
    prediction = config.predictionType
    process =
      model.pipeline.scheduler.isFlow
      ? .flow(count: config.numTrainTimesteps) : .markov(NoiseSchedule(config))
    let x = 2 * (try training.pictures(training.spread(2000))) - 1
    variances = x.flattened(from: 1).to(.float64).variance([0], correction: 0).elements()
  }

  private func bin(_ place: Int) -> Range<Int> {
    let (count, parts) = (process.count, min(Self.binCount, process.count))
    return place * count / parts..<(place + 1) * count / parts
  }

  /// The levels that picture number 0, 1, … visits in every part.
  private func levels(_ count: Int) -> [[Int]] {
    let generator = Generator(seed: seed)
    return (0..<min(Self.binCount, process.count)).map {
      Tensor.randint(bin($0), [count], using: generator).elements()
    }
  }

  /// The squared error of every picture, averaged over its values, part by part of the levels.
  func errors(
    of unet: UNet2D, on set: any Dataset, at indices: [Int],
    progress: (Double) throws -> Void = { _ in }
  ) throws -> [[Double]] {
    let levels = levels(indices.count)
    let noiseSource = Generator(seed: seed &+ 1)
    let device = unet.parameters[0].value.device
    var errors = levels.map { _ in [Double]() }
    try withoutGradients { () throws in
      for start in stride(from: 0, to: indices.count, by: 64) {
        let range = start..<min(start + 64, indices.count)
        let chosen = Array(indices[range])
        let x = 2 * (try set.pictures(chosen).to(device)) - 1
        let classes = try model.classes(of: chosen, in: set)?.to(device)
        for (place, all) in levels.enumerated() {
          let t = Array(all[range])
          let noise = Tensor.randn(x.shape, using: noiseSource).to(device)
          let (alpha, sigma) = process.factors(t, device: device)
          let target = prediction.target(x, noise: noise, alpha: alpha, sigma: sigma)
          let output = unet(
            process.jump(x, noise: noise, to: t), timesteps: process.told(t, device: device),
            classLabels: classes
          ).narrowed(1, 0, x.size(1))
          errors[place] += (output - target).square().flattened(from: 1).mean([1])
            .to(.float64).elements(as: Double.self)
          let share = Double(place + 1) / Double(levels.count) * Double(range.count)
          try progress((Double(start) + share) / Double(indices.count))
        }
      }
    }
    return errors
  }

  /// Errors beside those of the linear guess at the same levels.
  func facts(_ errors: [[Double]]) -> DenoisingFacts {
    let levels = levels(errors[0].count)
    let n = Double(variances.count)
    return DenoisingFacts(
      bins: errors.indices.map { place in
        var (trivial, target) = (0.0, 0.0)
        for t in levels[place] {
          let level = process.level(t)
          for variance in variances {
            trivial +=
              DenoisingFacts.trivialError(of: prediction, at: level, variance: variance) / n
            target +=
              DenoisingFacts.targetVariance(of: prediction, at: level, variance: variance) / n
          }
        }
        let count = Double(levels[place].count)
        return DenoisingFacts.Bin(
          levels: bin(place), error: Moments(errors[place]).mean, trivial: trivial / count,
          target: target / count)
      })
  }
}
