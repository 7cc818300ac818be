import Torch

/// What does not fit between a checkpoint and a network: every key, all at once.
public struct StateMismatch: Error, CustomStringConvertible, Equatable {
  /// Keys that the network has and the checkpoint lacks.
  public var missing: [String] = []
  /// Keys that the checkpoint has and the network does not know.
  public var unused: [String] = []
  /// Keys whose shapes differ: what the network has, what was found.
  public var shapes: [(key: String, expected: [Int], found: [Int])] = []

  var isEmpty: Bool { missing.isEmpty && unused.isEmpty && shapes.isEmpty }

  init() {}

  /// How tensors differ from what is expected; `nil` where they fit.
  init?(_ tensors: [String: Tensor], for expected: [(key: String, shape: [Int])]) {
    unused = Set(tensors.keys).subtracting(expected.map(\.key)).sorted()
    for (key, shape) in expected {
      guard let tensor = tensors[key] else {
        missing.append(key)
        continue
      }
      if tensor.shape != shape { shapes.append((key, shape, tensor.shape)) }
    }
    if isEmpty { return nil }
  }

  /// One paragraph that names the keys, the first few of each kind.
  public var description: String {
    var sentences: [String] = []
    func list(_ items: [String]) -> String {
      items.prefix(6).joined(separator: ", ")
        + (items.count > 6 ? " and \(items.count - 6) more" : "")
    }
    if !missing.isEmpty {
      sentences.append(
        "\(missing.count) of the network's weights are missing in the file: \(list(missing))")
    }
    if !unused.isEmpty {
      sentences.append(
        "\(unused.count) weights of the file have no place in the network: \(list(unused))")
    }
    if !shapes.isEmpty {
      sentences.append(
        "\(shapes.count) weights have another shape: "
          + list(shapes.map { "\($0.key) is \($0.found), the network's is \($0.expected)" }))
    }
    return sentences.joined(separator: "; ")
  }

  /// Whether both name the same keys and shapes.
  public static func == (a: StateMismatch, b: StateMismatch) -> Bool {
    a.description == b.description
  }
}

extension Module {
  /// All parameters and buffers by their checkpoint keys, in the order of declaration, outside of
  /// any graph and in the network's own memory.
  public final var state: [(key: String, tensor: Tensor)] {
    namedParameters.map { ($0.name, $0.parameter.value.detached()) }
      + namedBuffers.map { ($0.name, $0.buffer.value) }
  }

  /// Copies a checkpoint's tensors into the network's own memory, converted to its types and devices.
  ///
  /// Nothing is changed unless every key fits. Throws `StateMismatch` with all missing, unused and
  /// misshapen keys.
  public final func load(_ tensors: [String: Tensor]) throws(StateMismatch) {
    try load(tensors) { parameter, tensor in parameter.value.copy(from: tensor) }
  }

  /// Takes over the tensors themselves where `load` copies them: the network's weights from now on,
  /// converted to its types when they are first asked for.
  ///
  /// A tensor of the network's type is then changed by training. Throws as `load` does.
  public final func adopt(_ tensors: [String: Tensor]) throws(StateMismatch) {
    try load(tensors) { parameter, tensor in parameter.postpone { tensor } }
  }

  private func load(
    _ tensors: [String: Tensor], _ take: (Parameter, Tensor) -> Void
  ) throws(StateMismatch) {
    let (parameters, buffers) = (namedParameters, namedBuffers)
    let shapes =
      parameters.map { ($0.name, $0.parameter.shape) }
      + buffers.map { ($0.name, $0.buffer.value.shape) }
    if let mismatch = StateMismatch(tensors, for: shapes) { throw mismatch }
    withoutGradients {
      for (name, parameter) in parameters {
        if let tensor = tensors[name] { take(parameter, tensor) }
      }
      for (name, buffer) in buffers {
        if let tensor = tensors[name] { buffer.value.copy(from: tensor) }
      }
    }
    packAnew()
  }
}
