import Torch

/// Denoising diffusion implicit models (Song et al. 2021, eq. 12): from the noise that the network
/// sees, straight to the next level. η = 0 draws nothing on the way; η = 1 draws as much as DDPM.
public struct DDIMSampler: Sampler {
  /// The levels visited, descending.
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let previous: [Int]
  private let finalAlphaCumprod: Double
  private let prediction: Prediction
  private let clipping: Clipping
  private let eta: Double

  /// Throws `SamplerError` for levels, a prediction or an η that the method cannot do.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, eta: Double = 0
  ) throws(SamplerError) {
    levels = try config.timesteps(request, for: "ddim")
    if case .steps(let count) = request {
      previous = levels.map { $0 - config.numTrainTimesteps / count }
    } else {
      previous = levels.dropFirst() + [-1]
    }
    try config.requirePrediction(.epsilon, .sample, .velocity, for: "ddim")
    guard (0...1).contains(eta) else {
      throw SamplerError("eta is \(eta); it must lie in 0...1.")
    }
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    finalAlphaCumprod = schedule.finalAlphaCumprod(config)
    prediction = config.predictionType
    clipping = Clipping(config)
    self.eta = eta
  }

  /// The picture of the next level, made of the predicted start and the predicted noise.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let t = levels[index]
    let bar = schedule.alphasCumprod[t]
    let barBefore = schedule.alphaCumprod(previous[index], final: finalAlphaCumprod)
    let level = schedule.level(t)
    let start = clipping(prediction.start(output, from: x, at: level))
    let epsilon = prediction.noise(output, from: x, at: level)

    // Eq. 16: σ_t(η).
    let variance = (1 - barBefore) / (1 - bar) * (1 - bar / barBefore)
    let deviation = eta * max(variance, 0).squareRoot()
    // Eq. 12: the predicted picture, and the direction that points back to x_t.
    let direction = max(1 - barBefore - deviation * deviation, 0).squareRoot() * epsilon
    var sample = barBefore.squareRoot() * start + direction
    if eta > 0 { sample = sample + deviation * noise.draw(like: x) }
    return SamplerStep(sample: sample, denoised: start)
  }

  /// q(x_t | x_0) at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: levels[index])
  }
}
