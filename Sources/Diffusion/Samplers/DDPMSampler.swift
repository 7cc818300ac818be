import Foundation
import Torch

/// Ancestral sampling (Ho et al. 2020, Algorithm 2), over all levels or some of them:
/// x_{t−1} is drawn from the posterior q(x_{t−1} | x_t, x̂_0).
///
/// With a learned variance the network's second half of channels says it (Nichol & Dhariwal 2021).
public struct DDPMSampler: Sampler {
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let previous: [Int]
  private let prediction: Prediction
  private let clipping: Clipping
  private let variance: VarianceType

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let total = config.numTrainTimesteps
    try request.check(trainTimesteps: total)
    switch request {
    case .steps(let count):
      levels = config.timestepSpacing.timesteps(count, of: total, offset: config.stepsOffset)
      previous = levels.map { $0 - total / count }
    case .timesteps(let list):
      levels = list
      previous = list.dropFirst() + [-1]
    case .sigmas:
      throw SamplerError("ddpm takes timesteps, not sigmas.")
    }
    try config.requirePrediction(.epsilon, .sample, .velocity, for: "ddpm")
    try config.requireLevels(levels)
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    prediction = config.predictionType
    clipping = Clipping(config)
    variance = config.varianceType ?? .fixedSmall
  }

  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let (t, last) = (levels[index], previous[index])
    let (bar, barBefore) = (schedule.alphasCumprod[t], last >= 0 ? schedule.alphasCumprod[last] : 1)
    let alpha = bar / barBefore
    let beta = 1 - alpha

    // A learned variance doubles the channels.
    let channels = x.size(1)
    let isLearned = output.size(1) == 2 * channels && variance.isLearned
    let said = isLearned ? output.narrowed(1, 0, channels) : output
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
    case .fixedSmall: added = posterior.squareRoot() * drawn
    case .fixedSmallLog: added = exp(0.5 * log(posterior)) * drawn
    case .fixedLarge: added = beta.squareRoot() * drawn
    case .fixedLargeLog: added = log(beta).squareRoot() * drawn
    case .learned:
      added = (isLearned ? output.narrowed(1, channels, channels) : said).sqrt() * drawn
    case .learnedRange:
      let share = ((isLearned ? output.narrowed(1, channels, channels) : said) + 1) / 2
      let logVariance = share * log(beta) + (1 - share) * log(posterior)
      added = (0.5 * logVariance).exp() * drawn
    }
    return SamplerStep(sample: mean + added, denoised: start)
  }

  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: Array(repeating: levels[index], count: x.size(0)))
  }
}
