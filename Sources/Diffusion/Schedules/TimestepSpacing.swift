import Foundation

/// How the levels of a sampling are spread over all levels (Lin et al. 2024, Table 2).
public enum TimestepSpacing: String, Codable, Sendable, CaseIterable {
  /// Whole multiples of T/steps, from 0: the last level is left out.
  case leading
  /// Even from the last level to 0, both included.
  case linspace
  /// Whole multiples of T/steps counted down from T: the last level is included.
  case trailing

  /// `steps` whole timesteps out of `total`, descending; `offset` is added to leading ones.
  public func timesteps(_ steps: Int, of total: Int, offset: Int = 0) -> [Int] {
    switch self {
    case .linspace:
      return positions(steps, of: total).map { Int($0.rounded(.toNearestOrEven)) }
    case .leading:
      // An offset out of all bounds wraps around, and is refused as out of the schedule.
      return (0..<steps).reversed().map { $0 * (total / steps) &+ offset }
    case .trailing:
      let gap = Double(total) / Double(steps)
      return (0..<steps).map {
        Int((Double(total) - Double($0) * gap).rounded(.toNearestOrEven)) - 1
      }
    }
  }

  /// The same, but linspace falls between whole timesteps, for methods that work on σ.
  public func positions(_ steps: Int, of total: Int, offset: Int = 0) -> [Double] {
    guard self == .linspace else {
      return timesteps(steps, of: total, offset: offset).map(Double.init)
    }
    return [Double].linspace(0, Double(total - 1), count: steps).reversed()
  }
}
