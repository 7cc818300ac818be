import Torch

/// Euler's method on a flow, dx/dσ = v(x, σ) (Liu et al. 2023; Lipman et al. 2023), or with fresh
/// noise at every step.
public struct FlowEulerSampler: Sampler {
  /// The levels that it visits.
  public let levels: FlowLevels
  private let isStochastic: Bool

  /// `mu` is the shift for the picture's size, where the configuration shifts dynamically.
  ///
  /// Throws `SamplerError` for levels that the method cannot do.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, mu: Double? = nil
  ) throws(SamplerError) {
    guard !(config.stochasticSampling && config.invertSigmas) else {
      throw SamplerError("stochastic_sampling cannot be had together with invert_sigmas.")
    }
    levels = try FlowLevels(config, request, mu: mu)
    isStochastic = config.stochasticSampling
  }

  /// What the network is told.
  public var timesteps: [Double] { levels.timesteps }

  /// One step along the flow, or to x_0 and back to the next level with new noise.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let start = levels.start(output, from: x, at: index)
    let sample =
      isStochastic
      ? levels.noised(start, noise: noise.draw(like: x), at: index + 1)
      : x + levels.gap(index) * output
    return SamplerStep(sample: sample, denoised: start)
  }

  /// (1 − σ) x + σ ε.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    levels.noised(x, noise: noise, at: index)
  }
}
