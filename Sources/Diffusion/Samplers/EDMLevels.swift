import Foundation
import Torch

/// The noise levels of a network with EDM's preconditioning, and the preconditioning itself:
/// D(x; σ) = c_skip x + c_out F(c_in x; c_noise) (Karras et al. 2022, eq. 7 and Table 1).
public struct EDMLevels: Sendable, Equatable {
  /// σ of every level, and where the last step ends.
  public let sigmas: [Double]
  /// c_noise = ¼ log σ of every level, what the network is told.
  public let timesteps: [Double]
  /// √(σ_max² + 1), what unit noise is multiplied by, as in diffusers.
  public let initialScale: Double
  private let sigmaData: Double
  private let prediction: Prediction

  /// The levels that a configuration visits for `method`.
  ///
  /// Throws `SamplerError` for a configuration or a request that has no such levels.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, for method: String
  ) throws(SamplerError) {
    try config.requirePrediction(.epsilon, .velocity, for: method)
    try request.check(trainTimesteps: config.numTrainTimesteps)
    guard let smallest = config.sigmaMin, let largest = config.sigmaMax else {
      throw SamplerError("\(method) needs sigma_min and sigma_max.")
    }
    guard config.sigmaData > 0, config.sigmaData.isFinite else {
      throw SamplerError("sigma_data must be positive, not \(config.sigmaData).")
    }
    let spacing: SigmaSpacing =
      switch config.sigmaSchedule {
      case .karras: .karras
      case .exponential: .exponential
      }
    let levels: [Double]
    switch request {
    case .sigmas(let list): levels = list.filter { $0 > 0 }
    case .timesteps: throw SamplerError("\(method) takes sigmas, not timesteps.")
    case .steps(let count):
      let spaced = try spacing.sigmas(from: largest, to: smallest, count: count, rho: config.rho)
      levels = spaced ?? []
    }
    sigmas = levels + (config.finalSigmasType == .zero ? [0] : levels.suffix(1))
    timesteps = levels.map { log($0) / 4 }
    initialScale = (largest * largest + 1).squareRoot()
    sigmaData = config.sigmaData
    prediction = config.predictionType
  }

  /// c_in x, c_in = 1 / √(σ² + σ_data²).
  public func modelInput(_ x: Tensor, sigma: Double) -> Tensor {
    x / (sigma * sigma + sigmaData * sigmaData).squareRoot()
  }

  /// D(x; σ) by the network's word `output`. A network of v has learned −F.
  public func start(_ output: Tensor, from x: Tensor, sigma: Double) -> Tensor {
    let variance = sigma * sigma + sigmaData * sigmaData
    let skip = sigmaData * sigmaData / variance
    let out = sigma * sigmaData / variance.squareRoot()
    return skip * x + (prediction == .velocity ? -out : out) * output
  }
}
