import Foundation

/// How the noise levels σ in (0, 1] of a flow are moved towards noise, where large pictures need
/// more of the steps (Esser et al. 2024, §5.3.2).
public enum FlowShift: Sendable, Equatable {
  /// σ' = s σ / (1 + (s − 1) σ).
  case constant(Double)
  /// σ' = e^μ / (e^μ + 1/σ − 1), μ by the size of the picture.
  case exponential(mu: Double)
  /// σ' = μ / (μ + 1/σ − 1).
  case linear(mu: Double)

  /// The shift of a configuration: `shift` (the value of its `shift` or `flow_shift`), or by `mu`
  /// where it shifts dynamically.
  ///
  /// Throws `SamplerError` for a shift that is not positive, and for a dynamic one without `mu`.
  public init(
    _ config: SchedulerConfig, shift: Double, mu: Double?
  ) throws(SamplerError) {
    guard config.useDynamicShifting else {
      guard shift > 0, shift.isFinite else {
        throw SamplerError("the shift of a flow must be positive, not \(shift).")
      }
      self = .constant(shift)
      return
    }
    guard let mu else {
      throw SamplerError("use_dynamic_shifting needs mu, the shift for the size of the picture.")
    }
    switch config.timeShiftType {
    case .exponential where exp(mu).isNormal: self = .exponential(mu: mu)
    case .linear where mu > 0 && mu.isFinite: self = .linear(mu: mu)
    case .exponential, .linear:
      throw SamplerError("a \(config.timeShiftType.rawValue) shift cannot have a mu of \(mu).")
    }
  }

  /// `sigma` in (0, 1] shifted.
  public func callAsFunction(_ sigma: Double) -> Double {
    switch self {
    case .constant(let s): s * sigma / (1 + (s - 1) * sigma)
    case .exponential(let mu): exp(mu) / (exp(mu) + 1 / sigma - 1)
    case .linear(let mu): mu / (mu + 1 / sigma - 1)
    }
  }

  /// Levels stretched so that the last is `terminal` and σ = 1 stays.
  ///
  /// Throws `SamplerError` for a terminal outside of [0, 1), and for levels that cannot stretch.
  public static func stretched(
    _ sigmas: [Double], to terminal: Double
  ) throws(SamplerError) -> [Double] {
    guard 0 <= terminal, terminal < 1 else {
      throw SamplerError("shift_terminal must lie in 0..<1, not \(terminal).")
    }
    guard let last = sigmas.last, last < 1 else {
      throw SamplerError("shift_terminal needs at least two steps.")
    }
    let scale = (1 - last) / (1 - terminal)
    return sigmas.map { 1 - (1 - $0) / scale }
  }
}
