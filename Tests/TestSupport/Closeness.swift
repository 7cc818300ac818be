import Testing
import Torch

/// Expects that two tensors have one type and one shape, and that every element is close:
/// |actual − expected| ≤ atol + rtol · |expected|.
///
/// Whole numbers and truth values must be equal; so must infinities and the places of NaN.
public func expectClose(
  _ actual: Tensor, _ expected: Tensor, rtol: Double = 1e-5, atol: Double = 1e-6,
  _ comment: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let found = difference(actual, expected, rtol: rtol, atol: atol) else { return }
  let comment = comment()
  Issue.record(
    Comment(rawValue: comment.isEmpty ? found : "\(comment): \(found)"),
    sourceLocation: sourceLocation)
}

/// Expects the very same elements, NaN equal to NaN.
public func expectEqual(
  _ actual: Tensor, _ expected: Tensor, _ comment: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(
    actual, expected, rtol: 0, atol: 0, comment(), sourceLocation: sourceLocation)
}

/// What tells two tensors apart, in one sentence; `nil` where they are close.
private func difference(
  _ actual: Tensor, _ expected: Tensor, rtol: Double, atol: Double
) -> String? {
  if actual.dtype != expected.dtype { return "\(actual.dtype) instead of \(expected.dtype)" }
  if actual.shape != expected.shape { return "shape \(actual.shape) instead of \(expected.shape)" }
  guard actual.dtype.isFloatingPoint else {
    let pairs = zip(actual.elements(as: Int.self), expected.elements(as: Int.self))
    return worst(of: pairs.map { Double(abs($0 - $1)) }, actual, expected)
  }
  let pairs = zip(actual.elements(as: Double.self), expected.elements(as: Double.self))
  return worst(
    of: pairs.map { excess($0, $1, rtol: rtol, atol: atol) }, actual, expected)
}

/// How far an element is off, 0 where that is allowed.
private func excess(_ actual: Double, _ expected: Double, rtol: Double, atol: Double) -> Double {
  if actual == expected || (actual.isNaN && expected.isNaN) { return 0 }
  guard actual.isFinite && expected.isFinite else { return .infinity }
  let off = abs(actual - expected)
  return off <= atol + rtol * abs(expected) ? 0 : off
}

private func worst(of excesses: [Double], _ actual: Tensor, _ expected: Tensor) -> String? {
  guard let (place, off) = excesses.enumerated().max(by: { $0.element < $1.element }), off > 0
  else { return nil }
  let count = excesses.count { $0 > 0 }
  let (a, b) = (actual.reshaped([-1])[place], expected.reshaped([-1])[place])
  let values =
    actual.dtype.isFloatingPoint
    ? "\(a.item()) instead of \(b.item())" : "\(a.intItem()) instead of \(b.intItem())"
  return "\(count) of \(excesses.count) elements differ; the worst at "
    + "\(index(of: place, in: actual.shape)) is \(values), off by \(off)"
}

/// The index of the element that is at `place` in row-major order.
private func index(of place: Int, in shape: [Int]) -> [Int] {
  var rest = place
  return shape.reversed().map { extent in
    defer { rest /= extent }
    return rest % extent
  }.reversed()
}
