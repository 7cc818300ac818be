import Foundation
import Torch

/// Which equation DPM-Solver solves, and whether in terms of the noise or of the picture.
enum DPMEquation: String, CaseIterable, Sendable {
  /// The probability flow, in ε (Lu et al. 2022a).
  case noiseODE = "dpmsolver"
  /// The probability flow, in x_0 (Lu et al. 2022b).
  case dataODE = "dpmsolver++"
  /// The reverse diffusion, in ε.
  case noiseSDE = "sde-dpmsolver"
  /// The reverse diffusion, in x_0 (Lu et al. 2022b).
  case dataSDE = "sde-dpmsolver++"

  /// What the network's word is turned into.
  var quantity: SolverModel.Quantity {
    self == .dataODE || self == .dataSDE ? .data : .noise
  }

  /// Whether every step draws.
  var isStochastic: Bool { self == .noiseSDE || self == .dataSDE }

  /// The factors of a step from `s` to `t`, h = λ_t − λ_s.
  func weights(from s: SignalLevel, to t: SignalLevel) -> DPMWeights {
    let h = t.lambda - s.lambda
    func psi(_ z: Double) -> [Double] { (1...3).map { exponentialRemainder($0, z) } }
    switch self {
    case .dataODE:
      return DPMWeights(sample: t.sigma / s.sigma, terms: psi(-h).map { -t.alpha * $0 })
    case .noiseODE:
      return DPMWeights(sample: t.alpha / s.alpha, terms: psi(h).map { -t.sigma * $0 })
    case .dataSDE:
      var terms = psi(-2 * h).map { -t.alpha * $0 }
      // diffusers takes −½ in the third term where the expansion has +½; the samples are its own.
      terms[2] -= t.alpha
      return DPMWeights(
        sample: t.sigma / s.sigma * exp(-h), terms: terms,
        noise: t.sigma * (-expm1(-2 * h)).squareRoot())
    case .noiseSDE:
      return DPMWeights(
        sample: t.alpha / s.alpha, terms: psi(h).map { -2 * t.sigma * $0 },
        noise: t.sigma * expm1(2 * h).squareRoot())
    }
  }
}

/// The factors of one step: of x, of the word and its first two differences in λ, and of the noise.
struct DPMWeights {
  let sample: Double
  let terms: [Double]
  var noise = 0.0

  /// The factor of the first difference in a step of the second order.
  func second(_ rule: DPMRule) -> Double {
    rule == .midpoint ? terms[0] / 2 : terms[1]
  }
}

/// How a step of the second order uses the difference of two words.
enum DPMRule: String, CaseIterable, Sendable {
  case midpoint
  case heun
}

/// The settings of a DPM-Solver that multistep and singlestep share.
struct DPMSettings: Sendable {
  let equation: DPMEquation
  let rule: DPMRule
  let order: Int

  /// Throws `SamplerError` for names and orders that there are not.
  init(
    _ config: SchedulerConfig, equations: [DPMEquation] = DPMEquation.allCases,
    thirdOrder: [DPMEquation], for name: String
  ) throws(SamplerError) {
    // diffusers lets a configuration of another solver stand for the nearest one.
    equation = try config.setting(
      config.algorithmType, of: "algorithm_type", among: equations,
      standIns: ["deis": .dataODE], for: name)
    rule = try config.setting(
      config.solverType, of: "solver_type", among: DPMRule.allCases,
      standIns: ["logrho": .midpoint, "bh1": .midpoint, "bh2": .midpoint], for: name)
    order = try config.order(
      config.solverOrder, of: "solver_order",
      most: thirdOrder.contains(equation) ? 3 : 2, for: "\(name) with \(equation.rawValue)")
  }
}

/// A step of a multistep DPM-Solver (Lu et al. 2022b, Algorithm 2): D_0 is the newest
/// word, D_1 and D_2 are differences with those before it.
struct DPMMultistep: Sendable {
  let levels: SolverLevels
  let settings: DPMSettings
  let orders: FinalOrders

  /// x at the level after `index`, by the word that `memory` does not hold yet.
  func step(
    _ word: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory, noise: NoiseSource
  ) -> Tensor {
    memory.remember(word, limit: settings.order)
    let order = orders.order(
      at: index, of: levels, most: settings.order, known: memory.outputs.count)
    let weights = settings.equation.weights(from: levels[index], to: levels[index + 1])
    let m = Array(memory.outputs.reversed())
    func lambda(_ back: Int) -> Double { levels[index - back].lambda }
    let h = levels[index + 1].lambda - lambda(0)

    var next = weights.sample * x + weights.terms[0] * m[0]
    if order == 2 {
      let d1 = h / (lambda(0) - lambda(1)) * (m[0] - m[1])
      next = next + weights.second(settings.rule) * d1
    } else if order == 3 {
      let (h0, h1) = (lambda(0) - lambda(1), lambda(1) - lambda(2))
      let (d10, d11) = (h / h0 * (m[0] - m[1]), h / h1 * (m[1] - m[2]))
      let bend = d10 - d11
      let d1 = d10 + h0 / (h0 + h1) * bend
      next = next + weights.terms[1] * d1 + weights.terms[2] * (h / (h0 + h1)) * bend
    }
    if settings.equation.isStochastic { next = next + weights.noise * noise.draw(like: x) }
    return next
  }
}

extension DPMSettings {
  /// Throws `SamplerError` for an equation in ε, whose last step to σ = 0 has no limit.
  func requireData(for name: String) throws(SamplerError) {
    guard equation.quantity == .data else {
      throw SamplerError(
        "\(name) with \(equation.rawValue) cannot end without noise; "
          + "set final_sigmas_type to sigma_min.")
    }
  }
}
