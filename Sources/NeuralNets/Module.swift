import Torch

/// A tensor that belongs to a module's state without being trained, such as running statistics.
public final class Buffer {
  /// The numbers themselves.
  public var value: Tensor
  /// Whether they stay of their type where a module takes another one.
  let keepsType: Bool

  /// A buffer that starts with `value`; `keepsType` for numbers that a shorter type would spoil.
  public init(_ value: Tensor, keepsType: Bool = false) {
    self.value = value
    self.keepsType = keepsType
  }
}

/// The abstract base of all networks and layers: a tree of named parts.
///
/// Subclasses are final, keep their parts (`Parameter`, `Buffer`, `Module`, arrays and optionals of
/// modules) in `let` properties, and offer `callAsFunction`. A part's key in a checkpoint is the
/// path of its properties in snake_case: `let convOut: Conv2d` holds `conv_out.weight`. Layers take
/// a `Generator?` for their first weights; `nil` leaves them unset, for a network about to be loaded.
open class Module {
  /// Whether layers that differ between training and use (dropout, batch norm) are in training.
  public private(set) var isTraining = true

  /// For subclasses.
  public init() {}

  /// Keys of properties whose name in checkpoints is not their snake_case name; a part with an empty
  /// key has its own parts at this module's level.
  open var keys: [String: String] { [:] }

  /// The direct parts with their keys, in the order of declaration, a superclass's first.
  final var parts: [(key: String, part: Any)] {
    var found: [(String, Any)] = []
    var mirrors: [Mirror] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    while let level = mirror, level.subjectType != Module.self {
      mirrors.append(level)
      mirror = level.superclassMirror
    }
    for child in mirrors.reversed().flatMap(\.children) {
      guard let label = child.label else { continue }
      collect(child.value, key: keys[label] ?? snakeCase(label), into: &found)
    }
    return found
  }

  private func collect(_ value: Any, key: String, into found: inout [(String, Any)]) {
    switch value {
    case is Parameter, is Buffer, is Module:
      found.append((key, value))
    case let list as [Any]:
      for (index, element) in list.enumerated() {
        collect(element, key: key.isEmpty ? "\(index)" : "\(key).\(index)", into: &found)
      }
    default:
      let mirror = Mirror(reflecting: value)
      if mirror.displayStyle == .optional, let some = mirror.children.first {
        collect(some.value, key: key, into: &found)
      }
    }
  }

  /// Every parameter below this module with its path, in the order of declaration.
  public final var namedParameters: [(name: String, parameter: Parameter)] {
    named(Parameter.self).map { ($0.0, $0.1) }
  }

  /// Every buffer below this module with its path, in the order of declaration.
  public final var namedBuffers: [(name: String, buffer: Buffer)] {
    named(Buffer.self).map { ($0.0, $0.1) }
  }

  /// Every parameter below this module, in the order of declaration.
  public final var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// The number of trained numbers below this module.
  public final var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  private func named<Part>(_ type: Part.Type, prefix: String = "") -> [(String, Part)] {
    parts.flatMap { key, part -> [(String, Part)] in
      if let part = part as? Part { return [(prefix + key, part)] }
      if let module = part as? Module {
        return module.named(type, prefix: key.isEmpty ? prefix : prefix + key + ".")
      }
      return []
    }
  }

  /// Switches this module and all below it between training and use.
  public final func setTraining(_ training: Bool) {
    isTraining = training
    for (_, part) in parts {
      (part as? Module)?.setTraining(training)
    }
  }

  /// Moves every parameter and buffer to a device, and floating-point ones to a type, but for buffers
  /// that keep theirs.
  public final func move(to device: Device? = nil, dtype: DType? = nil) {
    for parameter in parameters { parameter.move(to: device, dtype: dtype) }
    for (_, buffer) in namedBuffers {
      buffer.value = buffer.value.detached().moved(
        to: device, dtype: buffer.keepsType ? nil : dtype)
    }
    for (_, layer) in lowRankLayers {
      for change in layer.lowRankChanges {
        change.move(to: layer.weight.device, dtype: layer.weight.dtype)
      }
    }
    packAnew()
  }

  /// This module and all below it.
  public final var modules: [Module] { namedModules.map(\.module) }

  /// This module and all below it with their paths, the own one empty.
  public final var namedModules: [(path: String, module: Module)] {
    [("", self)]
      + parts.flatMap { key, part -> [(path: String, module: Module)] in
        guard let part = part as? Module else { return [] }
        return part.namedModules.map { path, module in
          (path.isEmpty || key.isEmpty ? key + path : "\(key).\(path)", module)
        }
      }
  }

  /// Clears the gradients of all parameters.
  public final func clearGradients() {
    for parameter in parameters { parameter.value.gradient = nil }
  }
}

/// A module with one tensor in and one out, as `Sequential` chains them.
public protocol Layer: Module {
  /// The layer's output for `x`.
  func callAsFunction(_ x: Tensor) -> Tensor
  /// The layer's output for `x`, and `other` of its shape added.
  func callAsFunction(_ x: Tensor, adding other: Tensor) -> Tensor
}

extension Layer {
  /// The sum, for layers that have no shorter way.
  public func callAsFunction(_ x: Tensor, adding other: Tensor) -> Tensor { self(x) + other }
}

/// `convOut2` becomes `conv_out2`.
func snakeCase(_ name: String) -> String {
  var result = ""
  for character in name {
    if character.isUppercase {
      if !result.isEmpty { result.append("_") }
      result.append(contentsOf: character.lowercased())
    } else {
      result.append(character)
    }
  }
  return result
}
