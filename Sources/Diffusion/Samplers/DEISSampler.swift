import Torch

/// DEIS, Adams–Bashforth with polynomials in log ρ (Zhang & Chen 2023): ε is extrapolated
/// by the polynomial through the last words, and the semi-linear equation is integrated with it
/// exactly.
public struct DEISSampler: Sampler {
  private enum Rule: String, CaseIterable {
    case logRho = "logrho"
  }
  private enum Algorithm: String, CaseIterable {
    case deis
  }

  private let model: SolverModel
  private let levels: SolverLevels
  private let order: Int
  private let orders: FinalOrders

  /// What the network is told, an entry a call of it.
  public var timesteps: [Double] { levels.timesteps }

  /// `mu` is the flow's shift for the size of the picture, where a configuration shifts dynamically.
  ///
  /// Throws `SamplerError` for settings that the method does not have.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, mu: Double? = nil
  ) throws(SamplerError) {
    let name = "deis"
    _ = try config.setting(
      config.algorithmType, of: "algorithm_type", among: Algorithm.allCases,
      standIns: ["dpmsolver": .deis, "dpmsolver++": .deis], for: name)
    _ = try config.setting(
      config.solverType, of: "solver_type", among: Rule.allCases,
      standIns: ["midpoint": .logRho, "heun": .logRho, "bh1": .logRho, "bh2": .logRho], for: name)
    order = try config.order(config.solverOrder, of: "solver_order", most: 3, for: name)
    model = try SolverModel(config, as: .noise, for: name)
    levels = try SolverLevels(config, request, end: .smallestOrStill, mu: mu, for: name)
    orders = .few(lowers: config.lowerOrderFinal, eulerAtEnd: false)
  }

  /// One step along the polynomial through the last words.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let word = model(output, from: x, at: levels[index])
    memory.remember(word.value, limit: order)
    let p = orders.order(at: index, of: levels, most: order, known: memory.outputs.count)
    let (s, t) = (levels[index], levels[index + 1])
    let h = t.lambda - s.lambda

    // ρ = e^(−λ): ∫ l_i(log ρ) dρ / ρ_t = −∫_0^h e^(h−v) l_i(v) dv, v = λ − λ_s.
    let basis = LagrangeBasis(nodes: (0..<p).map { levels[index - $0].lambda - s.lambda })
    let weights = basis.weights(moments: exponentialMoments(p, h: h, rate: 1))
    let integral = zip(weights, memory.outputs.reversed()).map { (-t.sigma * $0) * $1 }.sum()
    let kept = t.alpha / s.alpha
    return SamplerStep(sample: kept * x + integral, denoised: word.denoised)
  }

  /// α x + σ ε of the level.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    levels[index].mix(x, noise)
  }
}
