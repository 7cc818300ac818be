import Torch

/// Heun's method on a flow, dx/dσ = v(x, σ): a step of Euler, and again with the mean of the slopes
/// at both ends. Two calls of the network a step, one for the last.
public struct FlowHeunSampler: Sampler {
  /// The levels that it visits.
  public let levels: FlowLevels
  /// What the network is told: the first level once, the others twice.
  public let timesteps: [Double]
  /// Two.
  public let callsPerStep = 2

  /// Throws `SamplerError` for levels that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try FlowLevels(config, request)
    timesteps = levels.timesteps.firstOnceOthersTwice
  }

  /// Half a step: to the next level, or to it again from where the step began.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    SamplerStep(
      sample: heun(output, gap: levels.gap(index / 2), at: index, from: x, memory: &memory),
      denoised: levels.start(output, from: x, at: (index + 1) / 2))
  }

  /// (1 − σ) x + σ ε.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    levels.noised(x, noise: noise, at: (index + 1) / 2)
  }
}
