import Foundation

/// How noise levels σ are spread between a largest and a smallest one.
public enum SigmaSpacing: Sendable, Equatable {
  /// As the noise schedule has them at the timesteps visited.
  case schedule
  /// Even in σ^(1/ρ), ρ = 7 (Karras et al. 2022, eq. 5).
  case karras
  /// Even in log σ.
  case exponential
  /// By quantiles of Beta(0.6, 0.6): dense at both ends (Lee et al. 2024).
  case beta
  /// Even in λ = log(α/σ) (Lu et al. 2022).
  case lu

  /// The spacing that a configuration asks for.
  ///
  /// Throws `SamplerError` when it asks for several.
  public init(_ config: SchedulerConfig) throws(SamplerError) {
    let choices: [(isOn: Bool, key: String, spacing: SigmaSpacing)] = [
      (config.useKarrasSigmas, "use_karras_sigmas", .karras),
      (config.useExponentialSigmas, "use_exponential_sigmas", .exponential),
      (config.useBetaSigmas, "use_beta_sigmas", .beta),
      (config.useLuLambdas, "use_lu_lambdas", .lu),
    ]
    let chosen = choices.filter(\.isOn)
    guard chosen.count <= 1 else {
      throw SamplerError(
        "only one of \(chosen.map(\.key).joined(separator: ", ")) can space the noise levels.")
    }
    self = chosen.first?.spacing ?? .schedule
  }

  /// `count` levels from the largest down to the smallest; `nil` for `schedule`, which needs
  /// timesteps.
  ///
  /// Throws `SamplerError` unless 0 < smallest < largest; of one level they may be equal.
  public func sigmas(
    from largest: Double, to smallest: Double, count: Int, rho: Double = 7
  ) throws(SamplerError) -> [Double]? {
    guard self != .schedule else { return nil }
    guard rho > 0, rho.isFinite else { throw SamplerError("rho must be positive, not \(rho).") }
    guard smallest > 0, smallest < largest || smallest == largest && count == 1, largest.isFinite
    else {
      throw SamplerError(
        "noise levels cannot be spaced from sigma_max \(largest) down to sigma_min \(smallest).")
    }
    switch self {
    case .schedule: return nil
    case .karras: return Self.karras(from: largest, to: smallest, count: count, rho: rho)
    // α = 1 beside σ, so λ = −log σ, and both ways are one.
    case .exponential, .lu: return Self.exponential(from: largest, to: smallest, count: count)
    case .beta: return Self.beta(from: largest, to: smallest, count: count)
    }
  }

  /// (σ_max^(1/ρ) + i/(n−1) (σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ (Karras et al. 2022, eq. 5).
  public static func karras(
    from largest: Double, to smallest: Double, count: Int, rho: Double = 7
  ) -> [Double] {
    [Double].linspace(pow(largest, 1 / rho), pow(smallest, 1 / rho), count: count).map {
      pow($0, rho)
    }
  }

  /// Even in log σ.
  public static func exponential(
    from largest: Double, to smallest: Double, count: Int
  ) -> [Double] {
    [Double].linspace(log(largest), log(smallest), count: count).map { exp($0) }
  }

  /// σ_min + F⁻¹(p) (σ_max − σ_min) for p evenly from 1 to 0, F of Beta(0.6, 0.6) (Lee et al. 2024).
  public static func beta(
    from largest: Double, to smallest: Double, count: Int, shape: Double = 0.6
  ) -> [Double] {
    let distribution = BetaDistribution(a: shape, b: shape)
    return [Double].linspace(0, 1, count: count).map {
      smallest + distribution.quantile(1 - $0) * (largest - smallest)
    }
  }
}

extension [Double] {
  /// `count` numbers evenly from `first` to `last`; one alone is `first`.
  static func linspace(_ first: Double, _ last: Double, count: Int) -> [Double] {
    guard count > 1 else { return Array(repeating: first, count: count) }
    let gap = (last - first) / Double(count - 1)
    return (0..<count).map { $0 == count - 1 ? last : first + Double($0) * gap }
  }
}
