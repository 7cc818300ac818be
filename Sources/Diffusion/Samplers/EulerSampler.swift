import Torch

/// Euler's method on the probability flow dx/dσ = (x − D(x; σ)) / σ, where D(x; σ) is the picture
/// that the network sees in x (Karras et al. 2022, Algorithm 2 without churn).
public struct EulerSampler: SigmaSampler {
  /// The levels that it visits.
  public let levels: SigmaLevels

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try SigmaLevels(config, request, for: "euler")
  }

  /// One step along the slope at σ.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let (sigma, next) = (levels.sigmas[index], levels.sigmas[index + 1])
    let start = levels.start(output, from: x, sigma: sigma)
    let slope = (x - start) / sigma
    return SamplerStep(sample: x + (next - sigma) * slope, denoised: start)
  }
}
