import Foundation
import Torch

/// Consistency models (Song et al. 2023, Algorithm 1): every call gives a clean picture, which gets
/// fresh noise of the next level σ.
///
/// Timesteps are indices into the Karras spacing of σ; the network is told 250 log σ.
public struct ConsistencySampler: Sampler {
  /// 250 log σ of the levels visited, descending.
  public let timesteps: [Double]
  /// The levels, and `sigmaMin` after them.
  private let sigmas: [Double]
  private let config: SchedulerConfig
  private let sigmaMin: Double
  private let sigmaMax: Double

  /// Throws `SamplerError` for levels that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let total = config.numTrainTimesteps
    try request.check(trainTimesteps: total)
    guard total >= 2 else { throw SamplerError("cm needs num_train_timesteps of at least 2.") }
    guard let least = config.sigmaMin, let most = config.sigmaMax else {
      throw SamplerError("cm needs both sigma_min and sigma_max.")
    }
    // Ascending: index 0 is the largest σ.
    let places: [Int]
    switch request {
    case .steps(let count): places = (0..<count).map { $0 * (total / count) }
    case .timesteps(let list): places = list.reversed()
    case .sigmas: throw SamplerError("cm takes timesteps, not sigmas.")
    }
    // Karras et al. 2022, eq. 5.
    let (first, last) = (pow(most, 1 / config.rho), pow(least, 1 / config.rho))
    let visited = places.map {
      pow(first + Double($0) / Double(total - 1) * (last - first), config.rho)
    }
    timesteps = visited.map { 250 * log($0 + 1e-44) }
    sigmas = visited + [least]
    self.config = config
    (sigmaMin, sigmaMax) = (least, most)
  }

  /// The largest σ.
  public var initialScale: Double { sigmaMax }

  /// `x` with the variance of the data and the noise divided out.
  public func modelInput(_ x: Tensor, at index: Int) -> Tensor {
    x / hypot(sigmas[index], config.sigmaData)
  }

  /// The consistency function, then the noise of the next level.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    // Appendix C: f = c_skip x + c_out F, which is x itself at σ_min.
    let (sigma, data) = (sigmas[index], config.sigmaData)
    let above = sigma - sigmaMin
    let skip = data * data / (above * above + data * data)
    let out = above * data / hypot(sigma, data)
    let clipping = config.clipDenoised ? Clipping.fixed(1) : .none
    let denoised = clipping(out * output + skip * x)
    guard timesteps.count > 1 else { return SamplerStep(sample: denoised, denoised: denoised) }

    let next = min(max(sigmas[index + 1], sigmaMin), sigmaMax)
    let deviation = config.sNoise * max(next * next - sigmaMin * sigmaMin, 0).squareRoot()
    return SamplerStep(sample: denoised + deviation * noise.draw(like: x), denoised: denoised)
  }

  /// x + σ ε at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    x + sigmas[index] * noise
  }
}
