import Torch

/// Denoising diffusion implicit models (Song et al. 2021, eq. 12): from the noise that the network
/// sees, straight to the next level. η = 0 draws nothing on the way; η = 1 draws as much as DDPM.
public struct DDIMSampler: Sampler {
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let previous: [Int]
  private let finalAlphaCumprod: Double
  private let prediction: Prediction
  private let clipping: Clipping
  private let eta: Double

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, eta: Double = 0
  ) throws(SamplerError) {
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
      throw SamplerError("ddim takes timesteps, not sigmas.")
    }
    try config.requirePrediction(.epsilon, .sample, .velocity, for: "ddim")
    try config.requireLevels(levels)
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    finalAlphaCumprod = config.setAlphaToOne ? 1 : schedule.alphasCumprod[0]
    prediction = config.predictionType
    clipping = Clipping(config)
    self.eta = eta
  }

  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let (t, last) = (levels[index], previous[index])
    let bar = schedule.alphasCumprod[t]
    let barBefore = last >= 0 ? schedule.alphasCumprod[last] : finalAlphaCumprod
    let level = schedule.level(t)
    let start = clipping(prediction.start(output, from: x, at: level))
    let epsilon = prediction.noise(output, from: x, at: level)

    // Eq. 16: σ_t(η).
    let variance = (1 - barBefore) / (1 - bar) * (1 - bar / barBefore)
    let deviation = eta * variance.squareRoot()
    // Eq. 12: the predicted picture, and the direction that points back to x_t.
    let direction = max(1 - barBefore - deviation * deviation, 0).squareRoot() * epsilon
    var sample = barBefore.squareRoot() * start + direction
    if eta > 0 { sample = sample + deviation * noise.draw(like: x) }
    return SamplerStep(sample: sample, denoised: start)
  }

  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: Array(repeating: levels[index], count: x.size(0)))
  }
}
