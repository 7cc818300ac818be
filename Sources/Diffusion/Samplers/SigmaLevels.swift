import Foundation
import Torch

/// The noise levels that a sampling visits in the picture x = x_0 + σ ε (Karras et al. 2022), and
/// what a network that was trained on √ᾱ x_0 + √(1 − ᾱ) ε is told about each.
public struct SigmaLevels: Sendable, Equatable {
  /// σ of every level, and where the last step ends.
  public let sigmas: [Double]
  /// What the network is told, one fewer than `sigmas`.
  public let timesteps: [Double]
  /// What unit noise is multiplied by to be at the first level.
  public let initialScale: Double
  /// All levels of the network.
  public let training: TrainingSigmas
  /// What the network predicts.
  public let prediction: Prediction

  /// The levels that a configuration visits for `method`. Some methods of diffusers tell the network
  /// whole timesteps where σ is spaced as in Karras et al.
  ///
  /// Throws `SamplerError` for a configuration that contradicts itself or what is asked for.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, for method: String,
    wholeKarrasTimesteps: Bool = false
  ) throws(SamplerError) {
    try config.requirePrediction(.epsilon, .sample, .velocity, for: method)
    training = try TrainingSigmas(config)
    try request.check(trainTimesteps: config.numTrainTimesteps)
    let spacing = try SigmaSpacing(config)
    prediction = config.predictionType
    let isContinuous = config.timestepType == .continuous && prediction == .velocity

    var (levels, told): ([Double], [Double])
    switch request {
    case .sigmas(let list):
      levels = list.filter { $0 > 0 }
      told = levels.map(training.timestep)
    case .timesteps(let list):
      guard spacing == .schedule, !isContinuous else {
        throw SamplerError(
          "\(method) cannot visit chosen timesteps with a configuration that spaces sigmas itself.")
      }
      told = list.map(Double.init)
      levels = try config.sigmas(at: told, of: training)
    case .steps(let count):
      told = config.timestepSpacing.positions(
        count, of: config.numTrainTimesteps, offset: config.stepsOffset)
      levels = try config.sigmas(at: told, of: training)
      let spaced = try spacing.sigmas(
        from: config.sigmaMax ?? levels[0], to: config.sigmaMin ?? levels[levels.count - 1],
        count: count)
      if let spaced { (levels, told) = (spaced, spaced.map(training.timestep)) }
      if spacing == .karras, wholeKarrasTimesteps {
        told = told.map { $0.rounded(.toNearestOrEven) }
      }
    }
    if isContinuous { told = levels.map { log($0) / 4 } }
    timesteps = told
    let end = config.finalSigmasType == .zero ? 0 : training.smallest
    sigmas = Array((levels + [end]).prefix(told.count + 1))
    let most = levels.max() ?? 0
    initialScale =
      config.timestepSpacing == .leading ? (most * most + 1).squareRoot() : most
  }

  /// x / √(σ² + 1), which has unit variance, as the network knows it.
  public func modelInput(_ x: Tensor, sigma: Double) -> Tensor {
    x / (sigma * sigma + 1).squareRoot()
  }

  /// x_0 by the network's word `output` about `x` at σ. The velocity is that of the picture at unit
  /// variance.
  public func start(_ output: Tensor, from x: Tensor, sigma: Double) -> Tensor {
    guard prediction == .velocity else {
      return prediction.start(output, from: x, at: SignalLevel(alpha: 1, sigma: sigma))
    }
    let alpha = 1 / (sigma * sigma + 1).squareRoot()
    return prediction.start(
      output, from: alpha * x, at: SignalLevel(alpha: alpha, sigma: alpha * sigma))
  }
}

/// A sampler whose pictures are x = x_0 + σ ε.
public protocol SigmaSampler: Sampler {
  /// The levels that it visits.
  var levels: SigmaLevels { get }

  /// σ of the picture that the network is shown at an index of `timesteps`.
  func sigma(at index: Int) -> Double
}

extension SigmaSampler {
  /// The levels' own.
  public var timesteps: [Double] { levels.timesteps }

  /// That of the level with the index, for methods with one call of the network a step.
  public func sigma(at index: Int) -> Double { levels.sigmas[index] }

  /// The first level's σ, or √(σ² + 1) with leading spacing, as in diffusers.
  public var initialScale: Double { levels.initialScale }

  /// x / √(σ² + 1).
  public func modelInput(_ x: Tensor, at index: Int) -> Tensor {
    levels.modelInput(x, sigma: sigma(at: index))
  }

  /// x + σ ε.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    x + sigma(at: index) * noise
  }
}

// MARK: - Levels of the configuration

extension SchedulerConfig {
  /// σ at timesteps; of `log_linear` interpolation also the end of the last step.
  fileprivate func sigmas(
    at timesteps: [Double], of training: TrainingSigmas
  ) throws(SamplerError) -> [Double] {
    guard timesteps.allSatisfy((0...Double(numTrainTimesteps - 1)).contains) else {
      throw SamplerError(
        "a steps_offset of \(stepsOffset) carries timesteps out of 0..<\(numTrainTimesteps); "
          + "use fewer steps or another offset.")
    }
    switch interpolationType {
    case .linear: return timesteps.map(training.sigma)
    case .logLinear:
      return SigmaSpacing.exponential(
        from: training.largest, to: training.smallest, count: timesteps.count + 1)
    }
  }
}
