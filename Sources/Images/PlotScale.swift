import Foundation

/// How numbers are laid along an axis.
public enum AxisScale: Sendable {
  /// Evenly.
  case linear
  /// By their logarithm; numbers that are not positive are left out.
  case logarithmic
}

/// One axis of a plot: the range it shows, its ticks, and the place of a number on it.
struct PlotScale {
  let kind: AxisScale
  let low: Double
  let high: Double
  let ticks: [Double]

  /// The axis for all of `values` that can be shown; without any it shows 0...1 or 1...10.
  ///
  /// - Parameter margin: The room left at both ends, as a fraction of the range.
  init(_ values: [Double], kind: AxisScale = .linear, margin: Double = 0.04) {
    self.kind = kind
    let shown = values.compactMap { PlotScale.position($0, kind) }
    var low = shown.min() ?? 0
    var high = shown.max() ?? 1
    // A constant, or a range lost in rounding, is shown in the middle of an axis.
    let least = max(abs(low), abs(high)) * 1e-6
    if high - low <= least {
      let room = low == 0 ? 1 : max(abs(low) * 0.1, 1e-290)
      (low, high) = (low - room, high + room)
    }
    let room = (high - low) * margin
    self.low = low - room
    self.high = high + room
    ticks =
      kind == .linear
      ? linearTicks(self.low, self.high) : logarithmicTicks(self.low, self.high)
  }

  /// Where a number lies, 0 at the low end and 1 at the high end, or nil if it cannot be shown.
  func fraction(_ value: Double) -> Double? {
    PlotScale.position(value, kind).map { ($0 - low) / (high - low) }
  }

  /// The ticks with their labels.
  var labels: [(fraction: Double, text: String)] {
    let step = ticks.count > 1 ? ticks[1] - ticks[0] : 0
    let largest = ticks.map(abs).max() ?? 0
    return ticks.map { tick in
      let text =
        switch kind {
        case .linear: tickLabel(tick, step: step, largest: largest)
        case .logarithmic: powerLabel(pow(10, tick))
        }
      return ((tick - low) / (high - low), text)
    }
  }

  private static func position(_ value: Double, _ kind: AxisScale) -> Double? {
    guard value.isFinite else { return nil }
    switch kind {
    case .linear: return min(max(value, -1e290), 1e290)
    case .logarithmic: return value > 0 ? log10(value) : nil
    }
  }
}

/// About five multiples of 1, 2 or 5 times a power of ten.
private func linearTicks(_ low: Double, _ high: Double) -> [Double] {
  let rough = (high - low) / 5
  let power = pow(10, log10(rough).rounded(.down))
  let step = power * ([1, 2, 5].first { $0 * power >= rough * 0.75 } ?? 10)
  guard step > 0, step.isFinite else { return [] }
  let first = (low / step).rounded(.up)
  let last = (high / step).rounded(.down)
  guard abs(first) < 1e9, abs(last) < 1e9, first <= last else { return [] }
  return (Int(first)...Int(last)).map { Double($0) * step }
}

/// Whole powers of ten, thinned to eight at most; within less than two of them, 2 and 5 times too.
private func logarithmicTicks(_ low: Double, _ high: Double) -> [Double] {
  let decades = Int(low.rounded(.down))...Int(high.rounded(.up))
  if high - low < 2 {
    return decades.flatMap { decade in [1, 2, 5].map { Double(decade) + log10($0) } }
      .filter { low...high ~= $0 }
  }
  let stride = (decades.count + 7) / 8
  return decades.filter { $0.isMultiple(of: stride) && low...high ~= Double($0) }.map(Double.init)
}

/// A number with the decimals and the unit (k, M) that all ticks of its axis share.
private func tickLabel(_ value: Double, step: Double, largest: Double) -> String {
  if value == 0 { return "0" }
  if largest < 1e-4 || largest >= 1e9 { return typeset(String(format: "%.3g", value)) }
  let (divisor, suffix): (Double, String) =
    largest >= 1e6 ? (1e6, "M") : largest >= 1e4 ? (1e3, "k") : (1, "")
  let unit = (step > 0 ? step : abs(value)) / divisor
  // A step of 0.2 may come out as 0.19999, whose logarithm is just below a whole number.
  let decimals = min(max(Int((-log10(unit) - 1e-6).rounded(.up)), 0), 6)
  return typeset(String(format: "%.\(decimals)f", value / divisor)) + suffix
}

private func powerLabel(_ value: Double) -> String { typeset(String(format: "%g", value)) }

/// A true minus sign in place of the hyphen.
private func typeset(_ number: String) -> String {
  number.replacingOccurrences(of: "-", with: "−")
}
