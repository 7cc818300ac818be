import Torch

/// Euler's method to a level below the next, and fresh noise up to it: the ancestral step of
/// Ho et al. 2020 in the picture x = x_0 + σ ε (k-diffusion's `euler_ancestral`).
public struct EulerAncestralSampler: SigmaSampler {
  /// The levels that it visits.
  public let levels: SigmaLevels

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try SigmaLevels(config, request, for: "euler-a")
  }

  /// One step down and up again.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let sigma = levels.sigmas[index]
    let step = AncestralStep(from: sigma, to: levels.sigmas[index + 1])
    let start = levels.start(output, from: x, sigma: sigma)
    let slope = (x - start) / sigma
    let lower = x + (step.down - sigma) * slope
    return SamplerStep(sample: lower + step.up * noise.draw(like: x), denoised: start)
  }
}

/// A step from σ to τ ≤ σ through a lower level: down² + up² = τ².
struct AncestralStep {
  /// The level that the slope leads to, τ²/σ.
  let down: Double
  /// The deviation of the noise added there, τ √(1 − τ²/σ²): the posterior's of x_τ by x_σ and x_0.
  let up: Double

  /// The step between two levels, σ > 0.
  init(from sigma: Double, to next: Double) {
    let ratio = next / sigma
    down = next * ratio
    up = next * max(1 - ratio * ratio, 0).squareRoot()
  }
}
