import Testing
import Torch

/// One operation, the golden inputs it is called with, and how near it must come.
///
/// Where the reference has gradients, those of the same weighted sum of the outputs are compared
/// too, and an input that has none there must have none here.
public struct GoldenCase: Sendable, CustomTestStringConvertible {
  /// The name of the case in the golden file.
  public let name: String
  let inputs: [String]
  let tolerance: (rtol: Double, atol: Double)
  let sourceLocation: SourceLocation
  let body: @Sendable ([Tensor]) -> [Tensor]

  /// What the test run calls the case.
  public var testDescription: String { name }

  /// A case of as many inputs and outputs as it takes; the inputs are named in one string.
  public static func many(
    _ name: String, _ inputs: String = "", rtol: Double = 1e-5, atol: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @escaping @Sendable ([Tensor]) -> [Tensor]
  ) -> GoldenCase {
    GoldenCase(
      name: name, inputs: inputs.split(separator: " ").map(String.init),
      tolerance: (rtol, atol), sourceLocation: sourceLocation, body: body)
  }

  /// A case without inputs; what it makes must be equal.
  public static func none(
    _ name: String, rtol: Double = 0, atol: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping @Sendable () -> Tensor
  ) -> GoldenCase {
    many(name, rtol: rtol, atol: atol, sourceLocation: sourceLocation) { _ in [body()] }
  }

  /// A case of one input.
  public static func one(
    _ name: String, _ inputs: String, rtol: Double = 1e-5, atol: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @escaping @Sendable (Tensor) -> Tensor
  ) -> GoldenCase {
    many(name, inputs, rtol: rtol, atol: atol, sourceLocation: sourceLocation) { [body($0[0])] }
  }

  /// A case of two inputs.
  public static func two(
    _ name: String, _ inputs: String, rtol: Double = 1e-5, atol: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> GoldenCase {
    many(name, inputs, rtol: rtol, atol: atol, sourceLocation: sourceLocation) {
      [body($0[0], $0[1])]
    }
  }

  /// A case of three inputs.
  public static func three(
    _ name: String, _ inputs: String, rtol: Double = 1e-5, atol: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @escaping @Sendable (Tensor, Tensor, Tensor) -> Tensor
  ) -> GoldenCase {
    many(name, inputs, rtol: rtol, atol: atol, sourceLocation: sourceLocation) {
      [body($0[0], $0[1], $0[2])]
    }
  }

  /// Runs the case and compares outputs and gradients with those in `fixture`.
  public func check(against fixture: Fixture) throws {
    let given = try inputs.map { try fixture[$0] }
    let isGraded = inputs.indices.contains { fixture.contains("\(name).grad\($0)") }
    if isGraded {
      for tensor in given where tensor.dtype.isFloatingPoint { tensor.requiresGradient = true }
    }
    let outputs = body(given)
    let expected = Array(
      (0...).lazy.map { "\(name).out\($0)" }.prefix { fixture.contains($0) })
    try #require(
      outputs.count == expected.count && !outputs.isEmpty, "\(name): outputs",
      sourceLocation: sourceLocation)
    for (i, (output, key)) in zip(outputs, expected).enumerated() {
      try compare(output, fixture[key], "\(name), output \(i)")
    }
    guard isGraded else { return }
    for output in outputs where output.requiresGradient {
      output.backward(seed: GoldenCase.weights(like: output), retainingGraph: true)
    }
    for (i, tensor) in given.enumerated() {
      let key = "\(name).grad\(i)"
      let isExpected = fixture.contains(key)
      if let gradient = tensor.gradient, isExpected {
        try compare(gradient, fixture[key], "\(name), gradient of input \(i)")
      } else if isExpected != (tensor.gradient != nil) {
        Issue.record(
          "\(name): input \(i) has \(isExpected ? "no" : "a") gradient",
          sourceLocation: sourceLocation)
      }
    }
  }

  private func compare(_ actual: Tensor, _ expected: Tensor, _ comment: String) {
    expectClose(
      actual, expected, rtol: tolerance.rtol, atol: tolerance.atol, comment,
      sourceLocation: sourceLocation)
  }

  /// The weights of generators/_golden.py: exact in every type, so that no file holds them.
  public static func weights(like tensor: Tensor) -> Tensor {
    let values = (0..<tensor.count).map { Float($0 * 7 % 11 - 5) / 4 }
    return Tensor(values, shape: tensor.shape).to(tensor.dtype)
  }

  /// Expects that `cases` are exactly those that `fixture` has outputs for.
  public static func expectComplete(
    _ cases: [GoldenCase], _ fixture: Fixture, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let golden = fixture.names.filter { $0.hasSuffix(".out0") }.map { String($0.dropLast(5)) }
    let names = cases.map(\.name)
    let (missing, unknown) = (Set(golden).subtracting(names), Set(names).subtracting(golden))
    #expect(missing.isEmpty, "golden cases without a test", sourceLocation: sourceLocation)
    #expect(unknown.isEmpty, "tests without a golden case", sourceLocation: sourceLocation)
    #expect(Set(names).count == names.count, "one name a case", sourceLocation: sourceLocation)
  }
}
