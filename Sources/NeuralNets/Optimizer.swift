import Torch

/// Changes parameters along their gradients.
///
/// Parameters without a gradient are left as they are. `state` is all that a resume needs.
public protocol Optimizer: AnyObject {
  /// The step size of the next step; schedules change it.
  var learningRate: Double { get set }

  /// The parameters that a step changes.
  var parameters: [Parameter] { get }

  /// Takes one step along the gradients that are there.
  func step()

  /// Moments and counts by name, for a checkpoint.
  var state: [(key: String, tensor: Tensor)] { get }

  /// Takes over what `state` gave. Throws `StateMismatch` with all that does not fit.
  func load(_ state: [String: Tensor]) throws(StateMismatch)
}

extension Optimizer {
  /// Clears the gradients of all parameters.
  public func clearGradients() {
    for parameter in parameters { parameter.value.gradient = nil }
  }

  /// The parameters that have a gradient: their places, values and gradients.
  func withGradient() -> (places: [Int], values: [Tensor], gradients: [Tensor]) {
    var places: [Int] = []
    var values: [Tensor] = []
    var gradients: [Tensor] = []
    for (place, parameter) in parameters.enumerated() {
      guard let gradient = parameter.value.gradient else { continue }
      places.append(place)
      values.append(parameter.value)
      gradients.append(gradient)
    }
    return (places, values, gradients)
  }
}

/// Scales all gradients down together so that their total norm is at most `limit`; returns the norm
/// before, `[]`. The rule of `torch.nn.utils.clip_grad_norm_`.
@discardableResult
public func clipGradientNorm(_ parameters: [Parameter], limit: Double) -> Tensor {
  let gradients = parameters.compactMap(\.value.gradient)
  guard !gradients.isEmpty else { return Tensor(0) }
  return withoutGradients {
    let norm = gradients.totalNorm()
    gradients.multiplyAll(by: (limit / (norm + 1e-6)).clamped(max: 1))
    return norm
  }
}

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
    var mismatch = StateMismatch()
    let expected = moments.flatMap(\.state)
    mismatch.unused = Set(state.keys).subtracting(expected.map(\.key)).sorted()
    for (key, tensor) in expected {
      guard let found = state[key] else {
        mismatch.missing.append(key)
        continue
      }
      if found.shape != tensor.shape { mismatch.shapes.append((key, tensor.shape, found.shape)) }
    }
    guard mismatch.isEmpty else { throw mismatch }
    for (key, tensor) in expected {
      if let found = state[key] { tensor.copy(from: found) }
    }
  }
}
