import Torch

/// The sampler of unCLIP (Ramesh et al. 2022): DDPM over evenly spread levels of the cosine
/// schedule, with the posterior's variance or a learned one.
public struct UnCLIPSampler: Sampler {
  private let ancestral: DDPMSampler

  /// Throws `SamplerError` for a schedule, levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    guard try config.stepCount(request, for: "unclip") >= 2 else {
      throw SamplerError("unclip needs at least 2 steps.")
    }
    guard config.betaSchedule == .cosine else {
      throw SamplerError("unclip needs a beta_schedule of \(BetaSchedule.cosine.rawValue).")
    }
    let variance = config.varianceType ?? .fixedSmallLog
    guard [.fixedSmallLog, .learnedRange].contains(variance) else {
      throw SamplerError("unclip needs a variance_type of fixed_small_log or learned_range.")
    }
    try config.requirePrediction(.epsilon, .sample, for: "unclip")
    var spread = config
    spread.timestepSpacing = .linspace
    spread.varianceType = variance
    ancestral = try DDPMSampler(spread, request, isUnCLIP: true)
  }

  /// The levels visited, descending.
  public var timesteps: [Double] { ancestral.timesteps }

  /// With a learned variance.
  public var usesLearnedVariance: Bool { ancestral.usesLearnedVariance }

  /// A draw from the posterior of the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    ancestral.step(output, at: index, from: x, memory: &memory, noise: noise)
  }

  /// q(x_t | x_0) at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    ancestral.noised(x, noise: noise, at: index)
  }
}
