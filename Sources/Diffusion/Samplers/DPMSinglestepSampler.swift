import Torch

/// DPM-Solver and DPM-Solver++, singlestep (Lu et al. 2022a, Algorithms 1 and 2): groups of one to
/// three calls of the network, each group a step of its own that starts from where the last ended.
///
/// A call in the middle of a group goes to the level between with a lower order, from the same start.
public struct DPMSinglestepSampler: Sampler {
  private let model: SolverModel
  private let levels: SolverLevels
  private let settings: DPMSettings
  /// The order of every call: 1 begins a group.
  private let orders: [Int]

  /// What the network is told, an entry a call of it.
  public var timesteps: [Double] { levels.timesteps }

  /// `mu` is the flow's shift for the size of the picture, where a configuration shifts dynamically.
  ///
  /// Throws `SamplerError` for settings that the method does not have.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, mu: Double? = nil
  ) throws(SamplerError) {
    let name = "dpm-solver singlestep"
    let equations: [DPMEquation] = [.noiseODE, .dataODE, .dataSDE]
    settings = try DPMSettings(config, equations: equations, thirdOrder: equations, for: name)
    let end = config.finalLevel()
    if end == .clean { try settings.requireData(for: name) }
    model = try SolverModel(config, as: settings.equation.quantity, for: name)
    levels = try SolverLevels(config, request, end: end, mu: mu, for: name)
    orders = Self.orders(
      settings.order, calls: levels.count, lowersLast: config.lowerOrderFinal,
      endsClean: end == .clean)
  }

  /// Groups 1, 2, …, `order` over all calls; what is left over is a group of a lower order. Where the
  /// last group is whole, `lowersLast` makes its last call one of the first order.
  static func orders(_ order: Int, calls: Int, lowersLast: Bool, endsClean: Bool) -> [Int] {
    var orders = (0..<calls).map { $0 % order + 1 }
    if endsClean || (lowersLast && calls % order == 0) { orders[calls - 1] = 1 }
    return orders
  }

  /// One call of a group: on to the next level, from where the group began.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let word = model(output, from: x, at: levels[index])
    memory.remember(word.value, limit: settings.order)
    // Sampling from the middle may begin inside of a group.
    let order = min(orders[index], memory.outputs.count)
    if order == 1 { memory.sample = x }
    guard let start = memory.sample else { preconditionFailure("a group begins with order 1") }

    // The words of the group from its start s on, and where in the step they were said.
    let words = Array(memory.outputs.suffix(order))
    let (s, t) = (levels[index - order + 1], levels[index + 1])
    let h = t.lambda - s.lambda
    func r(_ i: Int) -> Double { (levels[index - order + 1 + i].lambda - s.lambda) / h }
    let weights = settings.equation.weights(from: s, to: t)

    var next = weights.sample * start + weights.terms[0] * words[0]
    if order == 2 {
      let d1 = 1 / r(1) * (words[1] - words[0])
      next = next + weights.second(settings.rule) * d1
    } else if order == 3 {
      let (r1, r2) = (r(1), r(2))
      let (d1, d2) = (1 / r1 * (words[1] - words[0]), 1 / r2 * (words[2] - words[0]))
      switch settings.rule {
      case .midpoint:
        next = next + weights.terms[1] * d2
      case .heun:
        let (slope, bend) = (weights.terms[1] / (r2 - r1), 2 * weights.terms[2] / (r2 - r1))
        next = next + slope * (r2 * d1 - r1 * d2) + bend * (d2 - d1)
      }
    }
    if settings.equation.isStochastic { next = next + weights.noise * noise.draw(like: x) }
    return SamplerStep(sample: next, denoised: word.denoised)
  }

  /// α x + σ ε of the level.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    levels[index].mix(x, noise)
  }
}
