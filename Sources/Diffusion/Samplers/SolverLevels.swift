import Foundation
import Interchange
import Torch

/// The noise levels that a solver goes through, and the one where it ends.
struct SolverLevels: Sendable {
  /// What the network is told, an entry a step.
  let timesteps: [Double]
  /// α and σ of every step, and of the end.
  private let signals: [SignalLevel]

  /// The number of steps.
  var count: Int { timesteps.count }

  /// α and σ where step `index` begins; that of `count` is the end.
  subscript(index: Int) -> SignalLevel { signals[index] }

  /// Whether the last step has the first order only: to σ = 0, where λ is infinite and higher orders
  /// have no limit, or to the level where it is.
  var endsPlainly: Bool { signals[count].sigma == 0 || signals[count] == signals[count - 1] }

  /// Levels x = x_0 + σ ε scaled to α² + σ² = 1, or those of a flow, α + σ = 1. `sigmas` has one
  /// entry more than `timesteps`, the end.
  ///
  /// Throws `SamplerError` for levels that stand still or leave nothing of the picture or the noise.
  init(timesteps: [Double], sigmas: [Double], isFlow: Bool) throws(SamplerError) {
    // diffusers keeps σ in float32, and 1 − σ of a flow shows it.
    try self.init(
      timesteps: timesteps,
      signals: sigmas.map { sigma in
        let sigma = Double(Float(sigma))
        if isFlow { return SignalLevel(alpha: 1 - sigma, sigma: sigma) }
        let alpha = 1 / (sigma * sigma + 1).squareRoot()
        return SignalLevel(alpha: alpha, sigma: sigma * alpha)
      })
  }

  /// Levels by their α and σ.
  init(timesteps: [Double], signals: [SignalLevel]) throws(SamplerError) {
    precondition(signals.count == timesteps.count + 1, "a level for each step and the end")
    let starts = signals.dropLast()
    guard starts.allSatisfy({ $0.alpha > 0 && $0.sigma > 0 && $0.lambda.isFinite }) else {
      throw SamplerError(
        "the sampling visits levels that are all noise or have none; use other settings or steps.")
    }
    guard Set(starts.map(\.lambda)).count == starts.count else {
      throw SamplerError(
        "\(timesteps.count) steps visit one noise level twice; use fewer steps.")
    }
    self.timesteps = timesteps
    self.signals = signals
  }
}

extension SignalLevel {
  /// λ = log(α/σ), half the logarithm of the signal-to-noise ratio.
  var lambda: Double { log(alpha) - log(sigma) }
}

// MARK: - From a configuration

extension SolverLevels {
  /// Where the levels of a configuration end.
  enum End {
    /// Without noise (`zero`), or at the schedule's smallest level (`sigma_min`).
    case clean, smallest
    /// At the schedule's smallest level; where σ is spaced anew, the last step stands still.
    case smallestOrStill
  }

  /// The levels that a configuration spreads between noise and picture. `keepsFractions` leaves
  /// timesteps of spaced levels unrounded before they are cut to whole ones.
  ///
  /// Throws `SamplerError` for what does not go together.
  init(
    _ config: SchedulerConfig, _ request: SamplingLevels, end: End, keepsFractions: Bool = false,
    mu: Double? = nil, for name: String
  ) throws(SamplerError) {
    let trained = try TrainingSigmas(config)
    try request.check(trainTimesteps: config.numTrainTimesteps)
    let spacing = try SigmaSpacing(config)
    let total = config.numTrainTimesteps
    var timesteps: [Double]
    var sigmas: [Double]
    switch request {
    case .sigmas:
      throw SamplerError("\(name) takes timesteps or a number of steps, not sigmas.")
    case .timesteps(let list):
      guard spacing == .schedule, !config.useFlowSigmas else {
        throw SamplerError("\(name) takes no timesteps where σ has a spacing of its own.")
      }
      timesteps = list.map(Double.init)
      sigmas = timesteps.map(trained.sigma)
    case .steps(let count) where config.useFlowSigmas:
      guard spacing == .schedule else {
        throw SamplerError("\(name) cannot space the levels of use_flow_sigmas in another way.")
      }
      // α evenly from 1 to 1/T before the shift; the level without noise is not visited.
      let shift = try FlowShift(config, shift: config.flowShift, mu: mu)
      let alphas = [Double].linspace(1, 1 / Double(total), count: count + 1)
      sigmas = alphas.dropFirst().reversed().map { shift(1 - $0) }
      timesteps = sigmas.map { ($0 * Double(total)).rounded(.down) }
    case .steps(let count):
      if let spaced = try spacing.sigmas(
        from: config.sigmaMax ?? trained.largest, to: config.sigmaMin ?? trained.smallest,
        count: count)
      {
        sigmas = spaced
        let rounds = (spacing == .karras || spacing == .lu) && !keepsFractions
        timesteps = spaced.map {
          let t = trained.timestep(of: $0)
          return rounds ? t.rounded(.toNearestOrEven) : t.rounded(.down)
        }
      } else {
        let levels = try config.solverTimesteps(count, kept: trained.kept(config))
        timesteps = levels.map(Double.init)
        sigmas = timesteps.map(trained.sigma)
      }
    }
    let isSpaced = config.useFlowSigmas || spacing != .schedule
    switch end {
    case .clean: sigmas.append(0)
    case .smallestOrStill where isSpaced: sigmas.append(sigmas[sigmas.count - 1])
    case .smallest, .smallestOrStill: sigmas.append(trained.smallest)
    }
    try self.init(timesteps: timesteps, sigmas: sigmas, isFlow: config.useFlowSigmas)
  }
}

extension TrainingSigmas {
  /// The number of levels, from the first, whose λ is not below `lambda_min_clipped`.
  func kept(_ config: SchedulerConfig) throws(SamplerError) -> Int {
    // λ = −log σ where α is 1 beside σ.
    let count = sigmas.prefix { -log($0) >= config.lambdaMinClipped }.count
    guard count > 0 else {
      throw SamplerError("lambda_min_clipped leaves no noise level to visit.")
    }
    return count
  }
}

extension SchedulerConfig {
  /// Whole timesteps for `count` steps over the first `kept` levels: one more than steps is spread
  /// evenly, and that nearest to the picture (`ascending`: nearest to the noise) is the end.
  func solverTimesteps(
    _ count: Int, kept: Int, ascending: Bool = false
  ) throws(SamplerError) -> [Int] {
    let places = ascending ? Array(0..<count) : (1...count).reversed()
    let levels: [Int]
    switch timestepSpacing {
    case .linspace:
      let gap = Double(kept - 1) / Double(count)
      levels = places.map { Int((Double($0) * gap).rounded(.toNearestOrEven)) }
    case .leading:
      // An offset out of all bounds wraps around, and is refused as out of the schedule.
      levels = places.map { $0 * (kept / (count + 1)) &+ stepsOffset }
    case .trailing:
      // Counted down from the noisiest level kept, by gaps of all levels.
      let gap = Double(numTrainTimesteps) / Double(count)
      let fitting = min(count, Int((Double(kept) / gap).rounded(.up)))
      let descending = (0..<fitting).map {
        Int((Double(kept) - Double($0) * gap).rounded(.toNearestOrEven)) - 1
      }
      levels = ascending ? descending.reversed() : descending
    }
    try requireLevels(levels)
    return levels
  }

  /// The end that `final_sigmas_type` names.
  func finalLevel(still: Bool = false) -> SolverLevels.End {
    switch finalSigmasType {
    case .zero: .clean
    case .sigmaMin: still ? .smallestOrStill : .smallest
    }
  }

  /// The setting of a name, or what stands in for another solver's.
  func setting<Value: RawRepresentable<String>>(
    _ text: String, of key: String, among known: [Value], standIns: [String: Value] = [:],
    for name: String
  ) throws(SamplerError) -> Value {
    if let value = known.first(where: { $0.rawValue == text }) ?? standIns[text] { return value }
    let names = known.map(\.rawValue).joined(separator: ", ")
    let meant = nearestName(to: text, among: known.map(\.rawValue)).map { "; did you mean \($0)?" }
    throw SamplerError(
      "\(name) has no \(key) \"\(text)\"; it knows \(names)" + (meant ?? "."))
  }

  /// An order of a solver within what the method has.
  func order(
    _ order: Int, of key: String, most: Int, for name: String
  ) throws(SamplerError) -> Int {
    guard 1...most ~= order else {
      throw SamplerError("\(name) has orders from 1 to \(most), not a \(key) of \(order).")
    }
    return order
  }
}

// MARK: - Orders

/// When a multistep method has to do with a lower order than its own: at the beginning, where few
/// words are known, and towards the end, where few steps are left.
enum FinalOrders: Sendable {
  /// DPM-Solver's: below 15 steps, or where `eulerAtEnd`, the last step is of the first order; below
  /// 15 the one before is of the second (Lu et al. 2022b).
  case few(lowers: Bool, eulerAtEnd: Bool)
  /// No more than the steps that are left (Zhao et al. 2023).
  case left(lowers: Bool)

  /// The order of step `index` of a method of order `most`, with `known` words.
  func order(at index: Int, of levels: SolverLevels, most: Int, known: Int) -> Int {
    let left = levels.count - index
    let order = min(most, known)
    if left == 1 && levels.endsPlainly { return 1 }
    switch self {
    case .few(let lowers, let eulerAtEnd):
      let isShort = lowers && levels.count < 15
      if left == 1 && (isShort || eulerAtEnd) { return 1 }
      return isShort ? min(order, left) : order
    case .left(let lowers):
      return lowers ? min(order, left) : order
    }
  }
}
