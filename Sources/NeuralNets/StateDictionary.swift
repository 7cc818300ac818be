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

  /// Takes over a checkpoint's tensors, converted to the network's types and devices.
  ///
  /// Nothing is changed unless every key fits. Throws `StateMismatch` with all missing, unused and
  /// misshapen keys.
  public final func load(_ tensors: [String: Tensor]) throws(StateMismatch) {
    var mismatch = StateMismatch()
    var unused = Set(tensors.keys)
    let targets = state
    for (key, target) in targets {
      unused.remove(key)
      guard let tensor = tensors[key] else {
        mismatch.missing.append(key)
        continue
      }
      if tensor.shape != target.shape {
        mismatch.shapes.append((key, target.shape, tensor.shape))
      }
    }
    mismatch.unused = unused.sorted()
    guard mismatch.isEmpty else { throw mismatch }
    withoutGradients {
      for (key, target) in targets {
        if let tensor = tensors[key] { target.copy(from: tensor) }
      }
    }
    packAnew()
  }
}
