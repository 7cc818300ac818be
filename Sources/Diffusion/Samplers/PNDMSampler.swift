import Torch

/// Pseudo numerical methods for diffusion models (Liu et al. 2022): the transfer of eq. 11 with the
/// noise of several calls, three Runge–Kutta steps of four calls (Algorithm 2, eq. 13) and linear
/// multisteps after them (eq. 12).
///
/// With `skipPrkSteps` the multistep starts at once with fewer earlier calls, and the first step is
/// done twice.
public struct PNDMSampler: Sampler {
  /// The levels at which the network is asked; those of the Runge–Kutta steps repeat.
  public let timesteps: [Double]
  private let schedule: NoiseSchedule
  private let levels: [Int]
  /// Calls of the Runge–Kutta steps, in the beginning of `levels`.
  private let rungeKuttaCalls: Int
  private let gap: Int
  private let finalAlphaCumprod: Double
  private let prediction: Prediction

  /// Throws `SamplerError` for levels or a prediction that the method cannot do.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let count = try config.stepCount(request, for: "pndm")
    try config.requirePrediction(.epsilon, .velocity, for: "pndm")
    gap = config.numTrainTimesteps / count
    let path = try config.timesteps(request, for: "pndm")
    if config.skipPrkSteps {
      rungeKuttaCalls = 0
      levels = Array(path.prefix(2) + path.dropFirst())
    } else {
      guard count >= 4 else {
        throw SamplerError("pndm needs at least 4 steps, or skip_prk_steps.")
      }
      rungeKuttaCalls = 12
      let half = gap / 2
      levels =
        zip(path, path[1...3]).flatMap { [$0, $1 + half, $1 + half, $1] } + path[3...]
    }
    try config.requireLevels(levels)
    schedule = NoiseSchedule(config)
    timesteps = levels.map(Double.init)
    finalAlphaCumprod = schedule.finalAlphaCumprod(config)
    prediction = config.predictionType
  }

  /// A call of a Runge–Kutta step, or a multistep.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    defer { memory.count += 1 }
    return index < rungeKuttaCalls
      ? rungeKutta(output, at: index, from: x, memory: &memory)
      : multistep(output, at: index, from: x, memory: &memory)
  }

  /// Eq. 13: ε_1 at t, ε_2 and ε_3 half-way, ε_4 at the end; all four transfer from x_t.
  private func rungeKutta(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory
  ) -> SamplerStep {
    let (call, t) = (index % 4, levels[index])
    if call == 0 { memory.sample = x }
    var epsilon = output
    if call == 3, memory.outputs.count >= 3 {
      let e = Array(memory.outputs.suffix(3))
      epsilon = (e[0] + 2 * e[1] + 2 * e[2] + output) / 6
      memory.outputs.removeLast(2)  // ε_1 stays for the multisteps.
    } else {
      memory.outputs.append(output)
    }
    return transfer(
      memory.sample ?? x, by: epsilon, from: levels[index / 4 * 4],
      to: call.isMultiple(of: 2) ? t - gap / 2 : t)
  }

  /// Eq. 12: the newest four calls by the Adams–Bashforth rule, or fewer where there are fewer.
  private func multistep(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory
  ) -> SamplerStep {
    let t = levels[index]
    if rungeKuttaCalls == 0, memory.count == 1, let e = memory.outputs.last {
      // The first step again, with the mean of the noise at its two ends.
      let start = memory.sample ?? x
      memory.sample = nil
      return transfer(start, by: (output + e) / 2, from: t + gap, to: t)
    }
    memory.remember(output, limit: 4)
    if memory.count == 0 { memory.sample = x }
    let e = Array(memory.outputs.reversed())
    let mixed =
      switch e.count {
      case 1: e[0]
      case 2: (3 * e[0] - e[1]) / 2
      case 3: (23 * e[0] - 16 * e[1] + 5 * e[2]) / 12
      default: (55 * e[0] - 59 * e[1] + 37 * e[2] - 9 * e[3]) / 24
      }
    return transfer(x, by: mixed, from: t, to: t - gap)
  }

  /// Eq. 11: `x` carried between levels along the noise that the network sees.
  private func transfer(_ x: Tensor, by output: Tensor, from t: Int, to last: Int) -> SamplerStep {
    let bar = schedule.alphasCumprod[t]
    let barBefore = schedule.alphaCumprod(last, final: finalAlphaCumprod)
    let level = schedule.level(t)
    let epsilon = prediction.noise(output, from: x, at: level)
    let divisor =
      bar * (1 - barBefore).squareRoot() + (bar * (1 - bar) * barBefore).squareRoot()
    return SamplerStep(
      sample: (barBefore / bar).squareRoot() * x - (barBefore - bar) / divisor * epsilon,
      denoised: Prediction.epsilon.start(epsilon, from: x, at: level))
  }

  /// q(x_t | x_0) at the level of `index`.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    schedule.jump(x, noise: noise, to: levels[index])
  }
}
