import Torch

/// Changes parameters along their gradients.
///
/// Parameters without a gradient are left as they are. `state` is all that a resume needs.
public protocol Optimizer: AnyObject {
  /// The step size of the next step; schedules change it.
  var learningRate: Double { get set }

  /// The parameters that a step changes.
  var parameters: [Parameter] { get }

  /// Takes one step along `factor` times the gradients that are there, and may leave them so; then
  /// moves `average`.
  func step(along factor: Double, moving average: ExponentialMovingAverage?)

  /// Moments and counts by name, for a checkpoint.
  var state: [(key: String, tensor: Tensor)] { get }

  /// Takes over what `state` gave. Throws `StateMismatch` with all that does not fit.
  func load(_ state: [String: Tensor]) throws(StateMismatch)
}

extension Optimizer {
  /// Takes one step along the gradients that are there.
  public func step() { step(along: 1, moving: nil) }

  /// Clears the gradients of all parameters.
  public func clearGradients() {
    for parameter in parameters { parameter.value.gradient = nil }
  }

  /// The parameters that have a gradient: their places, values and `factor` times the gradients.
  func withGradient(
    along factor: Double
  ) -> (places: [Int], values: [Tensor], gradients: [Tensor]) {
    var places: [Int] = []
    var values: [Tensor] = []
    var gradients: [Tensor] = []
    for (place, parameter) in parameters.enumerated() {
      guard let gradient = parameter.value.gradient else { continue }
      places.append(place)
      values.append(parameter.value)
      gradients.append(gradient)
    }
    if factor != 1 { gradients.multiplyAll(by: Tensor(factor)) }
    return (places, values, gradients)
  }
}

/// What scales gradients of this norm down to a norm of at most `limit`: the rule of
/// `torch.nn.utils.clip_grad_norm_`.
public func clippingFactor(norm: Double, limit: Double) -> Double { min(1, limit / (norm + 1e-6)) }

/// The norm of all gradients together.
public func gradientNorm(_ parameters: [Parameter]) -> Tensor {
  let gradients = parameters.compactMap(\.value.gradient)
  return gradients.isEmpty ? Tensor(0) : withoutGradients { gradients.totalNorm() }
}

/// Per-parameter tensors of an optimizer, kept under `name.place` in checkpoints.
struct Moments {
  let name: String
  var tensors: [Tensor]

  init(_ name: String, like parameters: [Parameter]) {
    self.name = name
    tensors = parameters.map { .zeros(like: $0.value.detached()) }
  }

  /// A count a parameter, `float32 []`, on its device, where a fused step reads it.
  init(counts name: String, like parameters: [Parameter]) {
    self.name = name
    tensors = parameters.map { Tensor(0).to($0.value.device) }
  }

  func at(_ places: [Int]) -> [Tensor] { places.map { tensors[$0] } }

  var state: [(key: String, tensor: Tensor)] {
    tensors.enumerated().map { ("\(name).\($0.offset)", $0.element) }
  }

  /// Copies all of `moments` from a checkpoint, or nothing and throws.
  static func load(_ moments: [Moments], _ state: [String: Tensor]) throws(StateMismatch) {
    let expected = moments.flatMap(\.state)
    if let mismatch = StateMismatch(state, for: expected.map { ($0.key, $0.tensor.shape) }) {
      throw mismatch
    }
    for (key, tensor) in expected {
      if let found = state[key] { tensor.copy(from: found) }
    }
  }
}
