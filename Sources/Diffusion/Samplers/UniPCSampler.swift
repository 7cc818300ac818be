import Foundation
import Torch

/// UniPC: a predictor of order p, and a corrector that raises it by one with the word that the next
/// step asks for anyway (Zhao et al. 2023, Algorithms 1 and 2).
public struct UniPCSampler: Sampler {
  /// B(h), by which the differences are scaled (§3): any function h + O(h²).
  private enum Scale: String, CaseIterable {
    case linear = "bh1"
    case exponential = "bh2"
  }

  private let model: SolverModel
  private let levels: SolverLevels
  private let scale: Scale
  private let order: Int
  private let orders: FinalOrders
  private let uncorrected: Set<Int>

  /// What the network is told, an entry a call of it.
  public var timesteps: [Double] { levels.timesteps }

  /// `mu` is the flow's shift for the size of the picture, where a configuration shifts dynamically.
  ///
  /// Throws `SamplerError` for settings that the method does not have.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, mu: Double? = nil
  ) throws(SamplerError) {
    let name = "unipc"
    scale = try config.setting(
      config.solverType, of: "solver_type", among: Scale.allCases,
      standIns: ["midpoint": .exponential, "heun": .exponential, "logrho": .exponential],
      for: name)
    order = try config.order(config.solverOrder, of: "solver_order", most: 6, for: name)
    model = try SolverModel(
      config, as: config.predictX0 ? .data : .noise, clips: config.predictX0, for: name)
    let end = config.finalLevel(still: true)
    guard config.predictX0 || end != .clean else {
      throw SamplerError(
        "unipc without predict_x0 cannot end without noise; set final_sigmas_type to sigma_min.")
    }
    if config.useFlowSigmas {
      levels = try SolverLevels(flow: config, request, mu: mu, for: name)
    } else if config.shiftTerminal != nil {
      throw SamplerError("shift_terminal is for use_flow_sigmas.")
    } else {
      levels = try SolverLevels(config, request, end: end, for: name)
    }
    orders = .left(lowers: config.lowerOrderFinal)
    uncorrected = Set(config.disableCorrector)
  }

  /// The last step corrected, and the next predicted.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let word = model(output, from: x, at: levels[index])

    // UniC: the step that led here once more, with the word that it led to.
    var x = x
    if let base = memory.sample, !uncorrected.contains(index - 1) {
      x = base + residual(from: index - 1, order: memory.order, memory.outputs, next: word.value)
    }

    // UniP.
    memory.remember(word.value, limit: order)
    let p = orders.order(at: index, of: levels, most: order, known: memory.outputs.count)
    let (s, t) = (levels[index], levels[index + 1])
    let h = t.lambda - s.lambda
    let (kept, added) =
      model.quantity == .data
      ? (t.sigma / s.sigma, -t.alpha * expm1(-h)) : (t.alpha / s.alpha, -t.sigma * expm1(h))
    let base = kept * x + added * word.value
    memory.sample = base
    memory.order = p
    let sample = p > 1 ? base + residual(from: index, order: p, memory.outputs) : base
    return SamplerStep(sample: sample, denoised: word.denoised)
  }

  /// −α_t B(h) Σ ρ_k D_k, or −σ_t B(h) Σ ρ_k D_k in ε, over the step from level `s`:
  /// D_k = (m_k − m_0) / r_k with the earlier `words`, and with the `next` one at r = 1.
  private func residual(
    from s: Int, order p: Int, _ words: [Tensor], next: Tensor? = nil
  ) -> Tensor {
    let (start, end) = (levels[s], levels[s + 1])
    let h = end.lambda - start.lambda
    let m = Array(words.reversed())
    var nodes = (1..<p).map { (levels[s - $0].lambda - start.lambda) / h }
    var differences = (1..<p).map { (m[$0] - m[0]) / nodes[$0 - 1] }
    if let next {
      nodes.append(1)
      differences.append(next - m[0])
    }

    let (z, factor) = model.quantity == .data ? (-h, -end.alpha) : (h, -end.sigma)
    let b = scale == .linear ? z : expm1(z)
    // R ρ = b: Σ ρ_k r_k^(n−1) = n! ψ_{n+1}(z) / B(h). One difference takes ½ without solving.
    let rhos =
      nodes.count == 1
      ? [0.5]
      : LagrangeBasis(nodes: nodes).weights(
        moments: (1...nodes.count).map { factorial($0) * exponentialRemainder($0 + 1, z) / b })
    return zip(rhos, differences).map { (factor * b * $0) * $1 }.sum()
  }

  /// α x + σ ε of the level.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    levels[index].mix(x, noise)
  }
}

extension [Tensor] {
  /// The sum of tensors of one shape, of which there is at least one.
  func sum() -> Tensor {
    dropFirst().reduce(self[0]) { $0 + $1 }
  }
}

extension SolverLevels {
  /// UniPC's levels of a flow: those given or evenly from 1 to 1/T, shifted, and perhaps stretched to
  /// `shift_terminal`; or Karras' σ of the noise schedule as σ/(σ + 1).
  fileprivate init(
    flow config: SchedulerConfig, _ request: SamplingLevels, mu: Double?, for name: String
  ) throws(SamplerError) {
    let total = config.numTrainTimesteps
    try request.check(trainTimesteps: total)
    var sigmas: [Double]
    switch (try SigmaSpacing(config), request) {
    case (_, .timesteps):
      throw SamplerError("\(name) takes sigmas or a number of steps, not timesteps.")
    case (.karras, .steps(let count)):
      let trained = try TrainingSigmas(config)
      let spaced = try SigmaSpacing.karras.sigmas(
        from: config.sigmaMax ?? trained.largest, to: config.sigmaMin ?? trained.smallest,
        count: count)
      sigmas = (spaced ?? []).map { $0 / ($0 + 1) }
    case (.schedule, _):
      if case .sigmas(let list) = request {
        guard list[0] <= 1, list[list.count - 1] > 0 else {
          throw SamplerError("the sigmas of a flow must lie between 0 and 1; the end is added.")
        }
        sigmas = list
      } else {
        sigmas = [Double].linspace(1, 1 / Double(total), count: request.count + 1).dropLast()
      }
      let shift = try FlowShift(config, shift: config.flowShift, mu: mu)
      sigmas = sigmas.map { shift($0) }
      if let terminal = config.shiftTerminal, terminal != 0 {
        sigmas = try FlowShift.stretched(sigmas, to: terminal)
      }
      // At σ = 1 nothing of the picture would be left, and λ = −∞.
      if abs(sigmas[0] - 1) < 1e-6 { sigmas[0] -= 1e-6 }
    default:
      throw SamplerError("\(name) cannot space the levels of use_flow_sigmas in that way.")
    }
    let end = config.finalLevel() == .clean ? 0 : sigmas[sigmas.count - 1]
    try self.init(
      timesteps: sigmas.map { ($0 * Double(total)).rounded(.down) }, sigmas: sigmas + [end],
      isFlow: true)
  }
}
