import Foundation
import Torch

/// Ancestral sampling (Ho et al. 2020, Algorithm 2), over all levels or some of them:
/// x_{t−1} is drawn from the posterior q(x_{t−1} | x_t, x̂_0).
///
/// With a learned variance the network's second half of channels says it (Nichol & Dhariwal 2021);
/// of a network without that half the posterior's variance is taken.
public struct DDPMSampler: Sampler {
  /// The levels visited, descending.
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let prediction: Prediction
  private let clipping: Clipping
  private let variance: VarianceType
  private let isUnCLIP: Bool

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    try self.init(config, request, isUnCLIP: false)
  }

  init(
    _ config: SchedulerConfig, _ request: SamplingLevels, isUnCLIP: Bool
  ) throws(SamplerError) {
    let name = isUnCLIP ? "unclip" : "ddpm"
    levels = try config.timesteps(request, for: name)
    try config.requirePrediction(.epsilon, .sample, .velocity, for: name)
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    prediction = config.predictionType
    clipping = Clipping(config)
    variance = config.varianceType ?? .fixedSmall
    self.isUnCLIP = isUnCLIP
  }

  /// With a learned variance.
  public var usesLearnedVariance: Bool { variance.isLearned }

  /// A draw from the posterior of the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let t = levels[index]
    let last = index + 1 < levels.count ? levels[index + 1] : -1
    let (bar, barBefore) = (schedule.alphasCumprod[t], schedule.alphaCumprod(last))
    let (alpha, beta) = transition(from: t, to: last)

    // A learned variance doubles the channels.
    let channels = x.size(1)
    let isDoubled = output.size(1) == 2 * channels && variance.isLearned
    let said = isDoubled ? output.narrowed(1, 0, channels) : output
    let start = clipping(prediction.start(said, from: x, at: schedule.level(t)))

    // Eq. 7: the posterior's mean.
    let mean =
      barBefore.squareRoot() * beta / (1 - bar) * start
      + alpha.squareRoot() * (1 - barBefore) / (1 - bar) * x
    guard t > 0 else { return SamplerStep(sample: mean, denoised: start) }

    let drawn = noise.draw(like: x)
    let posterior = max((1 - barBefore) / (1 - bar) * beta, 1e-20)
    let added: Tensor
    switch variance {
    case .learned where isDoubled:
      added = output.narrowed(1, channels, channels).sqrt() * drawn
    case .learnedRange where isDoubled:
      // Nichol & Dhariwal 2021, eq. 15.
      let share = (output.narrowed(1, channels, channels) + 1) / 2
      added = (0.5 * (share * log(beta) + (1 - share) * log(posterior))).exp() * drawn
    case .fixedLarge, .fixedLargeLog: added = beta.squareRoot() * drawn
    case .fixedSmall, .fixedSmallLog, .learned, .learnedRange:
      added = posterior.squareRoot() * drawn
    }
    return SamplerStep(sample: mean + added, denoised: start)
  }

  /// α and β of the step between two levels, with the roundings of diffusers: its unCLIP takes β of
  /// neighbours from the schedule, and α as 1 − β in float32, which vanishes at the noisiest levels.
  private func transition(from t: Int, to last: Int) -> (alpha: Double, beta: Double) {
    let alpha = schedule.alphasCumprod[t] / schedule.alphaCumprod(last)
    guard isUnCLIP else { return (alpha, 1 - alpha) }
    let beta = last == t - 1 ? Float(schedule.betas[t]) : 1 - Float(alpha)
    return (Double(1 - beta), Double(beta))
  }

  /// q(x_t | x_0) at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: levels[index])
  }
}
