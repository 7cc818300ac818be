import Foundation
import Torch

/// σ = √((1 − ᾱ)/ᾱ) of every level that a network was trained at, and the way between σ and
/// timesteps that lie between levels.
public struct TrainingSigmas: Sendable, Equatable {
  /// σ of level t, all positive; ascending, but that the last of a rescaled schedule may be below.
  public let sigmas: [Double]
  private let logSigmas: [Double]

  /// The levels of a configuration. A schedule rescaled to end in pure noise would end at σ = ∞; ᾱ
  /// of its last level is 2⁻²⁴ instead.
  ///
  /// Throws `SamplerError` for β that are no noise schedule.
  public init(_ config: SchedulerConfig) throws(SamplerError) {
    try SamplingLevels.checkTraining(config.numTrainTimesteps)
    if let betas = config.trainedBetas, betas.count != config.numTrainTimesteps {
      throw SamplerError(
        "trained_betas has \(betas.count) entries, but num_train_timesteps is "
          + "\(config.numTrainTimesteps).")
    }
    var bars = NoiseSchedule(config).alphasCumprod
    let descends = zip(bars, bars.dropFirst()).allSatisfy(>)
    if config.rescaleBetasZeroSnr { bars[bars.count - 1] = 0x1p-24 }
    guard descends, bars.allSatisfy({ 0 < $0 && $0 < 1 }) else {
      throw SamplerError(
        "the betas of the schedule must lie between 0 and 1 and keep a trace of the picture.")
    }
    // In float32 and by a power, as diffusers has them: whether the largest σ is found at the last
    // timestep or just before it is a matter of the last digit.
    let kept = Tensor(bars.map { Float($0) })
    sigmas = ((1 - kept) / kept).pow(0.5).elements()
    logSigmas = sigmas.map { Double(Float(log($0))) }
  }

  /// The smallest σ, of level 0.
  public var smallest: Double { sigmas[0] }

  /// The largest σ, of the last level.
  public var largest: Double { sigmas[sigmas.count - 1] }

  /// σ at a timestep, linear between levels; the end beyond them.
  public func sigma(at timestep: Double) -> Double {
    let t = min(max(timestep, 0), Double(sigmas.count - 1))
    let low = min(Int(t), max(sigmas.count - 2, 0))
    let high = min(low + 1, sigmas.count - 1)
    return sigmas[low] + (t - Double(low)) * (sigmas[high] - sigmas[low])
  }

  /// The timestep of a noise level, linear in log σ between levels; the end beyond them.
  public func timestep(of sigma: Double) -> Double {
    let value = log(max(sigma, 1e-10))
    guard logSigmas.count > 1, let below = logSigmas.lastIndex(where: { $0 <= value }) else {
      return 0
    }
    let low = min(below, logSigmas.count - 2)
    let share = (value - logSigmas[low]) / (logSigmas[low + 1] - logSigmas[low])
    return Double(low) + min(max(share, 0), 1)
  }
}
