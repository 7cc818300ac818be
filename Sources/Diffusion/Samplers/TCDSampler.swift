import Torch

/// Trajectory consistency distillation (Zheng et al. 2024, Algorithm 4, strategic stochastic
/// sampling): every call leads to the level s = (1 − γ) t_{n−1}, from where noise leads up to
/// t_{n−1}. γ = 0 draws nothing, γ = 1 goes through the clean picture.
///
/// Pictures are not clipped, whatever the configuration says.
public struct TCDSampler: Sampler {
  /// The levels visited, descending, out of those of the teacher.
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let prediction: Prediction
  private let gamma: Double

  /// Throws `SamplerError` for levels, a prediction or a γ that the method cannot do.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, gamma: Double = 0.3
  ) throws(SamplerError) {
    levels = try config.distilledTimesteps(request, for: "tcd")
    try config.requirePrediction(.epsilon, .sample, .velocity, for: "tcd")
    guard (0...1).contains(gamma) else {
      throw SamplerError("eta (the γ of tcd) is \(gamma); it must lie in 0...1.")
    }
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    prediction = config.predictionType
    self.gamma = gamma
  }

  /// The trajectory function to level s, then noise up to the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let isLast = index + 1 == levels.count
    let last = isLast ? 0 : levels[index + 1]
    // In float32, as diffusers rounds the product.
    let s = Int((Float(1 - gamma) * Float(last)).rounded(.down))
    let level = schedule.level(levels[index])
    let start = prediction.start(output, from: x, at: level)
    let epsilon = prediction.noise(output, from: x, at: level)
    let sample = schedule.level(s).mix(start, epsilon)
    guard gamma > 0, !isLast else { return SamplerStep(sample: sample, denoised: start) }

    // q(x_{t_{n−1}} | x_s), as in the forward process.
    let kept = schedule.alphasCumprod[last] / schedule.alphasCumprod[s]
    return SamplerStep(
      sample: SignalLevel(alphaCumprod: kept).mix(sample, noise.draw(like: x)), denoised: start)
  }

  /// q(x_t | x_0) at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: levels[index])
  }
}
