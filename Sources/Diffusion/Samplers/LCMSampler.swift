import Torch

/// Latent consistency models (Luo et al. 2023, Algorithm 3): every call gives a clean picture, which
/// gets fresh noise of the next level.
public struct LCMSampler: Sampler {
  /// The levels visited, descending, out of those of the teacher.
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let prediction: Prediction
  private let clipping: Clipping
  private let timestepScaling: Double

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try config.distilledTimesteps(request, for: "lcm")
    try config.requirePrediction(.epsilon, .sample, .velocity, for: "lcm")
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    prediction = config.predictionType
    clipping = Clipping(config)
    timestepScaling = config.timestepScaling
  }

  /// The consistency function, then the noise of the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let t = levels[index]
    let start = clipping(prediction.start(output, from: x, at: schedule.level(t)))

    // Appendix C: f = c_skip x + c_out x̂_0, which is x itself at t = 0; σ_data = ½.
    let (scaled, data) = (timestepScaling * Double(t), 0.5)
    let total = scaled * scaled + data * data
    let denoised = scaled / total.squareRoot() * start + data * data / total * x
    guard index + 1 < levels.count else { return SamplerStep(sample: denoised, denoised: denoised) }
    return SamplerStep(
      sample: schedule.level(levels[index + 1]).mix(denoised, noise.draw(like: x)),
      denoised: denoised)
  }

  /// q(x_t | x_0) at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: levels[index])
  }
}
