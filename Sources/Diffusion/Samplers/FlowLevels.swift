import Torch

/// The noise levels that a sampling visits in the picture x = (1 − σ) x_0 + σ ε of rectified flow
/// (Liu et al. 2023; Esser et al. 2024).
public struct FlowLevels: Sendable, Equatable {
  /// σ of every level, and where the last step ends; 1 − σ where the configuration inverts it.
  public let sigmas: [Double]
  /// What the network is told, T σ.
  public let timesteps: [Double]

  /// The levels that a configuration visits.
  ///
  /// Throws `SamplerError` for a configuration that contradicts itself or what is asked for.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, mu: Double? = nil
  ) throws(SamplerError) {
    try SamplingLevels.checkTraining(config.numTrainTimesteps)
    // Timesteps of flows are 1 … T.
    try request.check(below: config.numTrainTimesteps + 1)
    let total = Double(config.numTrainTimesteps)
    let shift = try FlowShift(config, shift: config.shift, mu: mu)
    let spacing = try SigmaSpacing(config)

    var levels: [Double]
    var chosen: [Double]?
    switch request {
    case .steps(let count):
      // diffusers shifts the ends here and all levels again below; only a dynamic shift acts once.
      let end = config.useDynamicShifting ? 1 / total : shift(1 / total)
      levels = .linspace(1, end, count: count)
    case .timesteps(let list):
      guard spacing == .schedule else {
        throw SamplerError(
          "a flow cannot visit chosen timesteps with a configuration that spaces sigmas itself.")
      }
      chosen = list.map(Double.init)
      levels = list.map { Double($0) / total }
    case .sigmas(let list):
      guard list[0] <= 1 else { throw SamplerError("sigmas of a flow must lie in 0...1.") }
      levels = list.filter { $0 > 0 }
    }
    levels = levels.map { shift($0) }
    if let terminal = config.shiftTerminal, terminal != 0 {
      levels = try FlowShift.stretched(levels, to: terminal)
    }
    levels =
      try spacing.sigmas(from: levels[0], to: levels[levels.count - 1], count: levels.count)
      ?? levels
    if config.invertSigmas { levels = levels.map { 1 - $0 } }
    sigmas = levels + [config.invertSigmas ? 1 : 0]
    timesteps =
      config.invertSigmas ? levels.map { $0 * total } : chosen ?? levels.map { $0 * total }
  }

  /// The way from a level to the next.
  public func gap(_ index: Int) -> Double { sigmas[index + 1] - sigmas[index] }

  /// x_0 by the network's word `output` about `x`: the straight way to where the sampling ends.
  public func start(_ output: Tensor, from x: Tensor, at index: Int) -> Tensor {
    x + (sigmas[sigmas.count - 1] - sigmas[index]) * output
  }

  /// (1 − s) x + s ε, where s is the way that is left.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    let share = abs(sigmas[sigmas.count - 1] - sigmas[index])
    return (1 - share) * x + share * noise
  }
}
