import Torch

/// Heun's method: a step of Euler, and again with the mean of the slopes at both ends
/// (Karras et al. 2022, Algorithm 1). Two calls of the network a step, one for the last.
public struct HeunSampler: SigmaSampler {
  /// The levels that it visits.
  public let levels: SigmaLevels
  /// What the network is told: the first level once, the others twice.
  public let timesteps: [Double]
  /// Two.
  public let callsPerStep = 2
  private let clipping: Clipping

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try SigmaLevels(config, request, for: "heun")
    timesteps = levels.timesteps.firstOnceOthersTwice
    clipping = Clipping(config)
  }

  /// σ at an index; that of a step's second call is the next level's.
  public func sigma(at index: Int) -> Double { levels.sigmas[(index + 1) / 2] }

  /// Half a step: to the next level, or to it again from where the step began.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let gap = levels.sigmas[index / 2 + 1] - levels.sigmas[index / 2]
    let sigma = sigma(at: index)
    let start = clipping(levels.start(output, from: x, sigma: sigma))
    let slope = (x - start) / sigma
    return SamplerStep(
      sample: heun(slope, gap: gap, at: index, from: x, memory: &memory), denoised: start)
  }
}

/// Either half of Heun's step over `gap`: the first half remembers where it began and its slope.
func heun(
  _ slope: Tensor, gap: Double, at index: Int, from x: Tensor, memory: inout SamplerMemory
) -> Tensor {
  if index.isMultiple(of: 2) {
    memory.sample = x
    memory.remember(slope, limit: 1)
    return x + gap * slope
  }
  guard let beginning = memory.sample, let first = memory.outputs.last else {
    preconditionFailure("a sampling of two calls a step starts at an even index")
  }
  return beginning + (gap / 2) * (first + slope)
}

extension [Double] {
  /// The calls of a method that visits every level but the first for the end of a step and for the
  /// beginning of the next.
  var firstOnceOthersTwice: [Double] {
    prefix(1) + dropFirst().flatMap { [$0, $0] }
  }
}
