import Torch

/// DPM-Solver-2 in the picture x = x_0 + σ ε (Lu et al. 2022, Algorithm 1 with r₁ = ½): the slope
/// half-way in log σ carries the whole step. Two calls of the network a step, one for the last.
public struct DPM2Sampler: SigmaSampler {
  /// The levels that it visits.
  public let levels: SigmaLevels
  private let midway: MidwayLevels

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try SigmaLevels(config, request, for: "dpm2", wholeKarrasTimesteps: true)
    midway = MidwayLevels(levels) { _, next in next }
  }

  /// What the network is told, the levels half-way among them.
  public var timesteps: [Double] { midway.timesteps }

  /// Two.
  public var callsPerStep: Int { 2 }

  /// σ at an index; that of a step's second call is half-way to the next level.
  public func sigma(at index: Int) -> Double { midway.sigmas[index] }

  /// x + σ ε of the level that begins or ends the step, as in diffusers: the middle is none.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    x + levels.sigmas[(index + 1) / 2] * noise
  }

  /// Half a step: to the middle, or from the beginning over it to the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let sigma = sigma(at: index)
    let start = levels.start(output, from: x, sigma: sigma)
    let slope = (x - start) / sigma
    return SamplerStep(
      sample: midway.step(slope, at: index, from: x, memory: &memory), denoised: start)
  }
}

/// Levels with one between each and the next but at the last step.
struct MidwayLevels: Sendable {
  /// σ of every call.
  let sigmas: [Double]
  /// What the network is told.
  let timesteps: [Double]
  /// Where the slope of every call leads: the first of a step to its middle, the second from its
  /// beginning to its target.
  private let ends: [Double]

  /// The middle lies half-way in log σ to the `target` of the step between two levels.
  init(_ levels: SigmaLevels, target: (_ sigma: Double, _ next: Double) -> Double) {
    var (sigmas, timesteps) = ([levels.sigmas[0]], [levels.timesteps[0]])
    var ends: [Double] = []
    for k in levels.timesteps.indices.dropFirst() {
      let (sigma, next) = (levels.sigmas[k - 1], levels.sigmas[k])
      let end = target(sigma, next)
      let middle = (sigma * end).squareRoot()
      sigmas += [middle, next]
      timesteps += [levels.training.timestep(of: middle), levels.timesteps[k]]
      ends += [middle, end]
    }
    self.sigmas = sigmas
    self.timesteps = timesteps
    self.ends = ends + [levels.sigmas[levels.sigmas.count - 1]]
  }

  /// Either half of a step along `slope`; the first remembers where it began.
  func step(
    _ slope: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory
  ) -> Tensor {
    if index.isMultiple(of: 2) {
      memory.sample = x
      return x + (ends[index] - sigmas[index]) * slope
    }
    guard let beginning = memory.sample else {
      preconditionFailure("a sampling of two calls a step starts at an even index")
    }
    return beginning + (ends[index] - sigmas[index - 1]) * slope
  }
}
