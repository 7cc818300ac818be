import Torch

/// A fully connected layer: x · Wᵀ + b, `[..., inputs]` to `[..., outputs]`.
public final class Linear: Module, Layer {
  /// `[outputs, inputs]`.
  public let weight: Parameter
  /// `[outputs]`.
  public let bias: Parameter?
  /// Changes of the weight that stand beside it.
  public var lowRankChanges: [LowRankChange] = []
  var packing = Packing.plain

  /// PyTorch's default start: both uniform on ± 1 / √inputs; without a generator unset, to be loaded.
  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, using generator: Generator?) {
    (weight, self.bias) = defaultWeightAndBias(
      [outputs, inputs], outputs: outputs, bias: bias, using: generator)
  }

  /// The layer's output for `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { output(x, adding: nil) }

  /// The layer's output for `x` and, in the same pass where a kernel can, `other` of its shape.
  public func callAsFunction(_ x: Tensor, adding other: Tensor) -> Tensor {
    output(x, adding: other)
  }

  private func output(_ x: Tensor, adding other: Tensor?) -> Tensor {
    precondition(
      other.map { $0.shape == x.shape.dropLast() + [weight.shape[0]] } ?? true,
      "what is added has the output's shape")
    var y: Tensor
    if let packed = packed(x, adding: other, { PackedWeight(linear: weight.value, for: x) }) {
      y = packed
    } else {
      y = x.linear(weight: weight.value, bias: bias?.value)
      if let other { y = y + other }
    }
    return changed(y) { x.linear(weight: $0.down.value).linear(weight: $0.up.value) }
  }
}

extension Linear: PackableLayer {}

extension [Linear] {
  /// What the last layer gives, an activation between each and the next: `[..., inputs]` to
  /// `[..., outputs]`.
  public func callAsFunction(_ x: Tensor, between activation: Activation.Kind) -> Tensor {
    if activation == .relu, x.rank == 2, let layers = plainParameters {
      return x.perceptron(layers)
    }
    var h = x
    for (index, layer) in enumerated() { h = layer(index == 0 ? h : activation(h)) }
    return h
  }

  /// Weights and biases of layers that are these alone; `nil` where one has no bias, is packed or
  /// changed.
  private var plainParameters: [(weight: Tensor, bias: Tensor)]? {
    var found: [(weight: Tensor, bias: Tensor)] = []
    for layer in self {
      guard let bias = layer.bias, layer.lowRankChanges.isEmpty, case .plain = layer.packing else {
        return nil
      }
      found.append((layer.weight.value, bias.value))
    }
    return found
  }
}

/// A table of vectors, looked up by whole numbers: `int64 [...]` to `[..., width]`.
public final class Embedding: Module, Layer {
  /// `[count, width]`.
  public let weight: Parameter

  /// PyTorch's default start: standard normal; without a generator unset, to be loaded.
  public init(_ count: Int, _ width: Int, using generator: Generator?) {
    weight =
      generator.map { Parameter(Initializer.normal().tensor([count, width], using: $0)) }
      ?? Parameter(unset: [count, width])
  }

  /// The vectors at the indices in `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.embedding(weight: weight.value)
  }
}
