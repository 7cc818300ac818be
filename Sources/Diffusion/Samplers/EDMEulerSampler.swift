import Torch

/// Euler's method for networks with EDM's preconditioning (Karras et al. 2022, Algorithm 2 without
/// churn).
public struct EDMEulerSampler: Sampler {
  /// The levels that it visits.
  public let levels: EDMLevels

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try EDMLevels(config, request, for: "edm-euler")
  }

  /// What the network is told, ¼ log σ.
  public var timesteps: [Double] { levels.timesteps }

  /// √(σ_max² + 1).
  public var initialScale: Double { levels.initialScale }

  /// c_in x.
  public func modelInput(_ x: Tensor, at index: Int) -> Tensor {
    levels.modelInput(x, sigma: levels.sigmas[index])
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

  /// x + σ ε.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    x + levels.sigmas[index] * noise
  }
}
