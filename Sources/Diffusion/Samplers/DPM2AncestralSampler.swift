import Torch

/// DPM-Solver-2 to a level below the next, and fresh noise up to it (k-diffusion's
/// `dpm_2_ancestral`). Two calls of the network a step, one for the last.
public struct DPM2AncestralSampler: SigmaSampler {
  /// The levels that it visits.
  public let levels: SigmaLevels
  private let midway: MidwayLevels

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try SigmaLevels(config, request, for: "dpm2-a", wholeKarrasTimesteps: true)
    // √(σ · τ²/σ) = τ: half-way to the lower level lies the next one.
    midway = MidwayLevels(levels) { AncestralStep(from: $0, to: $1).down }
  }

  /// What the network is told, the levels half-way among them.
  public var timesteps: [Double] { midway.timesteps }

  /// Two.
  public var callsPerStep: Int { 2 }

  /// σ at an index; that of a step's second call is half-way to the lower level.
  public func sigma(at index: Int) -> Double { midway.sigmas[index] }

  /// x + σ ε of the level that begins or ends the step, as in diffusers: the middle is none.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    x + levels.sigmas[(index + 1) / 2] * noise
  }

  /// Half a step: to the middle, or from the beginning over it down, and up to the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let sigma = sigma(at: index)
    let start = levels.start(output, from: x, sigma: sigma)
    let slope = (x - start) / sigma
    let lower = midway.step(slope, at: index, from: x, memory: &memory)
    guard !index.isMultiple(of: 2) else { return SamplerStep(sample: lower, denoised: start) }
    let step = AncestralStep(from: midway.sigmas[index - 1], to: midway.sigmas[index + 1])
    return SamplerStep(sample: lower + step.up * noise.draw(like: x), denoised: start)
  }
}
