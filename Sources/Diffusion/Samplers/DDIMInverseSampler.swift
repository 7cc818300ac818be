import Torch

/// DDIM run backwards, from a picture to the noise that DDIM makes it of (Song et al. 2021, eq. 12;
/// Mokady et al. 2023, §3.2): every step adds the noise that the network sees.
///
/// The network is told the level that a step goes to.
public struct DDIMInverseSampler: Sampler {
  /// The levels gone to, ascending.
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  private let gap: Int
  private let initialAlphaCumprod: Double
  private let prediction: Prediction
  private let clipping: Clipping

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let count = try config.stepCount(request, for: "ddim-inverse")
    guard config.timestepSpacing != .linspace else {
      throw SamplerError("ddim-inverse needs a timestep_spacing of leading or trailing.")
    }
    levels = try config.timesteps(request, for: "ddim-inverse").reversed()
    try config.requirePrediction(.epsilon, .sample, .velocity, for: "ddim-inverse")
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    gap = config.numTrainTimesteps / count
    initialAlphaCumprod = schedule.finalAlphaCumprod(config)
    prediction = config.predictionType
    clipping = Clipping(config)
  }

  /// The picture at the level of `index`, by the start and the noise seen in the one below.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let level = below(index)
    let start = clipping(prediction.start(output, from: x, at: level))
    let epsilon = prediction.noise(output, from: x, at: level)
    return SamplerStep(
      sample: schedule.level(levels[index]).mix(start, epsilon), denoised: start)
  }

  /// The picture at the level that the step of `index` starts from.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    below(index).mix(x, noise)
  }

  /// Where the step of `index` starts.
  private func below(_ index: Int) -> SignalLevel {
    SignalLevel(
      alphaCumprod: schedule.alphaCumprod(levels[index] - gap, final: initialAlphaCumprod))
  }
}
