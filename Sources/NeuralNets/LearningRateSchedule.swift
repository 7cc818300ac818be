import Foundation

/// How the learning rate moves during training: a linear warm-up, then one of several shapes.
///
/// A pure function of the step and of the share of the work that is done, so that a budget in steps,
/// epochs or minutes can drive it alike.
public struct LearningRateSchedule: Sendable, Equatable {
  /// The course after the warm-up.
  public enum Shape: String, Sendable, Codable, CaseIterable {
    /// Stays at 1.
    case constant
    /// Half a cosine from 1 to 0 (Loshchilov & Hutter 2017, without restarts).
    case cosine
    /// A straight line from 1 to 0.
    case linear
    /// A factor of `decay` at every `interval` steps.
    case step
  }

  /// The course after the warm-up.
  public var shape: Shape
  /// Steps from 0 up to the full rate.
  public var warmup: Int
  /// Steps between two drops of the shape `step`.
  public var interval: Int
  /// The factor of one drop of the shape `step`.
  public var decay: Double

  /// A course with an optional warm-up.
  public init(_ shape: Shape, warmup: Int = 0, interval: Int = 10_000, decay: Double = 0.1) {
    self.shape = shape
    self.warmup = warmup
    self.interval = interval
    self.decay = decay
  }

  /// The factor on the base rate at `step` (from 0) when `progress` (0 to 1) of the whole work,
  /// the warm-up included, is done.
  public func factor(step: Int, progress: Double) -> Double {
    if step < warmup { return Double(step) / Double(max(1, warmup)) }
    // The share of the work that the warm-up was, at the pace so far, does not count.
    let warm = step == 0 ? 0 : progress * Double(warmup) / Double(step)
    let rest = warm < 1 ? min(max((progress - warm) / (1 - warm), 0), 1) : 1
    switch shape {
    case .constant: return 1
    case .cosine: return 0.5 * (1 + cos(.pi * rest))
    case .linear: return 1 - rest
    case .step: return pow(decay, Double((step - warmup) / max(1, interval)))
    }
  }

  /// The factor at `step` of `total` steps.
  public func factor(step: Int, of total: Int) -> Double {
    factor(step: step, progress: Double(step) / Double(max(1, total)))
  }
}
