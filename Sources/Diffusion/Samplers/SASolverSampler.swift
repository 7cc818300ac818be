import Foundation
import Torch

/// SA-Solver: stochastic Adams methods, a Bashforth predictor and a Moulton corrector (Xue et al.
/// 2023, Algorithm 1), for the reverse diffusion whose noise is τ times the usual.
///
/// τ is 1 at timesteps from 200 to 800 and 0 elsewhere, as in diffusers.
public struct SASolverSampler: Sampler {
  private enum Form: String, CaseIterable {
    case data = "data_prediction"
    case noise = "noise_prediction"
  }

  private let model: SolverModel
  private let levels: SolverLevels
  private let predictorOrder: Int
  private let correctorOrder: Int
  private let lowersLast: Bool
  /// What noises a picture; `nil` for a flow.
  private let schedule: NoiseSchedule?

  /// What the network is told, an entry a call of it.
  public var timesteps: [Double] { levels.timesteps }

  /// Throws `SamplerError` for settings that the method does not have.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let name = "sa-solver"
    let form = try config.setting(
      config.algorithmType, of: "algorithm_type", among: Form.allCases, for: name)
    predictorOrder = try config.order(
      config.predictorOrder, of: "predictor_order", most: 4, for: name)
    correctorOrder = try config.order(
      config.correctorOrder, of: "corrector_order", most: 4, for: name)
    model = try SolverModel(config, as: form == .data ? .data : .noise, for: name)
    levels = try SolverLevels(config, request, end: .smallestOrStill, for: name)
    lowersLast = config.lowerOrderFinal
    schedule = config.useFlowSigmas ? nil : NoiseSchedule(config)
  }

  /// The last step corrected, and the next predicted.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let word = model(output, from: x, at: levels[index])
    let words = memory.outputs + [word.value]

    // Moulton: the step that led here once more, through the word that it led to.
    var x = x
    if let base = memory.sample {
      let left = levels.count - (index - 1)
      let order = min(correctorOrder, words.count, lowersLast ? left + 1 : correctorOrder)
      x = base + integral(over: index - 1, words: words, newest: index, order: order)
    }

    // Bashforth.
    memory.remember(word.value, limit: max(predictorOrder, correctorOrder - 1))
    let left = levels.count - index
    let order = min(predictorOrder, memory.outputs.count, lowersLast ? left : predictorOrder)
    let base = carried(x, over: index, noise: noise.draw(like: x))
    memory.sample = base
    let sample = base + integral(over: index, words: memory.outputs, newest: index, order: order)
    return SamplerStep(sample: sample, denoised: word.denoised)
  }

  /// τ over the step from level `index`.
  private func tau(_ index: Int) -> Double {
    200...800 ~= timesteps[index] ? 1 : 0
  }

  /// The linear part and the noise of the step from level `index`, which predictor and corrector
  /// share.
  private func carried(_ x: Tensor, over index: Int, noise: Tensor) -> Tensor {
    let (s, t) = (levels[index], levels[index + 1])
    let h = t.lambda - s.lambda
    let squared = tau(index) * tau(index)
    let (kept, added): (Double, Double)
    switch model.quantity {
    case .data:
      kept = exp(-squared * h) * t.sigma / s.sigma
      added = t.sigma * (-expm1(-2 * squared * h)).squareRoot()
    case .noise:
      kept = t.alpha / s.alpha
      added = t.sigma * (squared * expm1(2 * h)).squareRoot()
    }
    return kept * x + added * noise
  }

  /// (1 + τ²) times the integral of the polynomial through the last `order` of `words`, the newest
  /// of which was said at level `newest`, over the step from level `index`.
  private func integral(over index: Int, words: [Tensor], newest: Int, order: Int) -> Tensor {
    let (s, t) = (levels[index], levels[index + 1])
    let h = t.lambda - s.lambda
    let rate = 1 + tau(index) * tau(index)
    let basis = LagrangeBasis(nodes: (0..<order).map { levels[newest - $0].lambda - s.lambda })
    var moments: [Double]
    let factor: Double
    switch model.quantity {
    case .data:
      moments = exponentialMoments(order, h: h, rate: -rate)
      // At order 2 the linear part is integrated without the exponential, as in DPM-Solver++ (2M).
      if order == 2 { moments[1] = -rate * h * h / 2 }
      factor = -t.alpha
    case .noise:
      moments = exponentialMoments(order, h: h, rate: 1)
      factor = -rate * t.sigma
    }
    return zip(basis.weights(moments: moments), words.reversed()).map { (factor * $0) * $1 }.sum()
  }

  /// α x + σ ε of the timestep, as in diffusers; of the level for a flow.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    let level = schedule?.level(Int(timesteps[index])) ?? levels[index]
    return level.mix(x, noise)
  }
}
