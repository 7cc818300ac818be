import NeuralNets
import TestSupport
import Testing
import Torch

/// One layer whose weights, inputs, output, gradients and buffers PyTorch wrote down.
struct LayerCase: Sendable, CustomTestStringConvertible {
  let name: String
  private let make: @Sendable () -> Module
  private let run: @Sendable (Module, [Tensor]) -> Tensor
  private let isTraining: Bool

  var testDescription: String { name }

  /// A layer of one input.
  static func layer(
    _ name: String, training: Bool = true, _ make: @escaping @Sendable () -> any Layer
  ) -> LayerCase {
    LayerCase(name: name, make: make, run: { ($0 as? any Layer)!($1[0]) }, isTraining: training)
  }

  /// Attention over its own input or a second one.
  static func attention(
    _ name: String, mask: @escaping @Sendable () -> Tensor? = { nil },
    _ make: @escaping @Sendable () -> Attention
  ) -> LayerCase {
    LayerCase(
      name: name, make: make,
      run: { ($0 as? Attention)!($1[0], context: $1.count > 1 ? $1[1] : nil, mask: mask()) },
      isTraining: true)
  }

  /// Normalisation by the classes that are its second input.
  static func conditional(
    _ name: String, training: Bool = true,
    _ make: @escaping @Sendable () -> ConditionalBatchNorm2d
  ) -> LayerCase {
    LayerCase(
      name: name, make: make, run: { ($0 as? ConditionalBatchNorm2d)!($1[0], labels: $1[1]) },
      isTraining: training)
  }

  /// Loads the weights (every key has to fit), runs the layer and compares all there is.
  func check(
    against fixture: Fixture, gradients tolerance: (rtol: Double, atol: Double) = (1e-4, 1e-5)
  ) throws {
    let module = make()
    try module.load(part("weights", of: fixture))
    module.setTraining(isTraining)
    let inputs = try (0...).lazy.map { "\(name)/x\($0)" }.prefix { fixture.contains($0) }
      .map { try fixture[$0] }
    for input in inputs where input.dtype.isFloatingPoint { input.requiresGradient = true }
    let output = run(module, inputs)
    expectClose(output, try fixture["\(name)/out"], "\(name), output")
    output.backward(seed: GoldenCase.weights(like: output))

    for (place, input) in inputs.enumerated() {
      let key = "\(name)/grad_x\(place)"
      try #require((input.gradient != nil) == fixture.contains(key))
      guard let gradient = input.gradient else { continue }
      expectClose(
        gradient, try fixture[key], rtol: tolerance.rtol, atol: tolerance.atol,
        "\(name), gradient of input \(place)")
    }
    let gradients = try part("grad", of: fixture)
    #expect(module.namedParameters.map(\.name).sorted() == gradients.keys.sorted())
    for (key, parameter) in module.namedParameters {
      let gradient = try #require(parameter.value.gradient, "\(name), gradient of \(key)")
      expectClose(
        gradient, try #require(gradients[key]), rtol: tolerance.rtol, atol: tolerance.atol,
        "\(name), gradient of \(key)")
    }
    let after = try part("after", of: fixture)
    #expect(module.namedBuffers.map(\.name).sorted() == after.keys.sorted())
    for (key, buffer) in module.namedBuffers {
      expectClose(buffer.value, try #require(after[key]), "\(name), \(key) afterwards")
    }
  }

  private func part(_ kind: String, of fixture: Fixture) throws -> [String: Tensor] {
    let prefix = "\(name)/\(kind)/"
    let names = fixture.names.filter { $0.hasPrefix(prefix) }
    return try Dictionary(
      uniqueKeysWithValues: names.map { (String($0.dropFirst(prefix.count)), try fixture[$0]) })
  }
}
