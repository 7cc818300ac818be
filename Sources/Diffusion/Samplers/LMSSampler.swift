import Torch

/// A linear multistep method of order 4 on dx/dσ (Adams–Bashforth with uneven steps; k-diffusion's
/// `lms`): the slope is the polynomial through the last slopes, integrated over the step.
public struct LMSSampler: SigmaSampler {
  /// The levels that it visits.
  public let levels: SigmaLevels

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    levels = try SigmaLevels(config, request, for: "lms")
  }

  /// One step, of as high an order as there are levels so far, at most 4.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let sigma = levels.sigmas[index]
    let start = levels.start(output, from: x, sigma: sigma)
    memory.remember((x - start) / sigma, limit: 4)
    // diffusers goes by the levels above, whether the sampling began there or in the middle.
    let order = min(index + 1, 4)
    let nodes = Array(levels.sigmas[(index - order + 1)...index])
    let weights = Self.weights(nodes, from: sigma, to: levels.sigmas[index + 1])
    var sample = x
    for (weight, slope) in zip(weights.suffix(memory.outputs.count), memory.outputs) {
      sample = sample + weight * slope
    }
    return SamplerStep(sample: sample, denoised: start)
  }

  /// ∫ ℓ_j(τ) dτ from `low` to `high` of every Lagrange polynomial over at most four nodes. Two
  /// points of Gauss–Legendre are exact for cubics.
  static func weights(_ nodes: [Double], from low: Double, to high: Double) -> [Double] {
    let (centre, half) = ((low + high) / 2, (high - low) / 2)
    let points = [-1, 1].map { centre + $0 * half / 3.0.squareRoot() }
    return nodes.indices.map { j in
      points.map { tau in
        nodes.indices.reduce(half) { product, k in
          k == j ? product : product * (tau - nodes[k]) / (nodes[j] - nodes[k])
        }
      }.reduce(0, +)
    }
  }
}
