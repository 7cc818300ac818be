import Torch

/// A tensor that training changes; part of a module's state under its property's name.
///
/// It may come later: the weights of a file are read, and converted, when they are first asked for,
/// so that a network that only decodes holds no encoder, and none holds its weights twice.
public final class Parameter {
  private enum Content {
    case here(Tensor)
    case awaited(Awaited)
  }

  /// A value that nobody has asked for yet.
  private struct Awaited {
    let shape: [Int]
    var dtype: DType
    let requiresGradient: Bool
    let make: () -> Tensor
  }

  private var content: Content

  /// A parameter that starts with `value` and is to be trained.
  public init(_ value: Tensor) {
    content = .here(value)
    value.requiresGradient = true
  }

  /// A parameter of this shape, to be loaded: in memory, and unset, from when it is asked for.
  public init(unset shape: [Int]) {
    content = .awaited(
      Awaited(shape: shape, dtype: .float32, requiresGradient: true) { .empty(shape) })
  }

  /// The weights themselves: a leaf that records gradients unless frozen. Weights that are awaited come
  /// with the first call, which one thread has to make.
  public var value: Tensor {
    get {
      switch content {
      case .here(let tensor): return tensor
      case .awaited(let awaited):
        let made = withoutGradients { awaited.make().to(awaited.dtype) }
        precondition(
          made.shape == awaited.shape, "\(made.shape) came for a weight of \(awaited.shape)")
        made.requiresGradient = awaited.requiresGradient
        content = .here(made)
        return made
      }
    }
    set { content = .here(newValue) }
  }

  /// Replaces the weights by what `make` gives, of this shape, in this type or the one of before,
  /// when they are first asked for; at once where the network is not on the CPU.
  public func postpone(as dtype: DType? = nil, _ make: @escaping () -> Tensor) {
    let device = device
    content = .awaited(
      Awaited(
        shape: shape, dtype: dtype ?? self.dtype, requiresGradient: requiresGradient, make: make))
    if device != .cpu { move(to: device, dtype: nil) }
  }
}

// MARK: - What is known without the numbers

extension Parameter {
  /// The extent of every dimension.
  public var shape: [Int] {
    switch content {
    case .here(let tensor): tensor.shape
    case .awaited(let awaited): awaited.shape
    }
  }

  /// The number of weights.
  public var count: Int { shape.reduce(1, *) }

  /// The type of the weights.
  public var dtype: DType {
    switch content {
    case .here(let tensor): tensor.dtype
    case .awaited(let awaited): awaited.dtype
    }
  }

  /// Where the weights are, or will be.
  public var device: Device {
    switch content {
    case .here(let tensor): tensor.device
    case .awaited: .cpu
    }
  }

  private var requiresGradient: Bool {
    switch content {
    case .here(let tensor): tensor.requiresGradient
    case .awaited(let awaited): awaited.requiresGradient
    }
  }

  /// Moves the weights to a device and a type; those that nobody has asked for yet only come there.
  func move(to device: Device?, dtype: DType?) {
    if case .awaited(var awaited) = content, device ?? .cpu == .cpu {
      if let dtype { awaited.dtype = dtype }
      content = .awaited(awaited)
      return
    }
    let (moved, required) = (value.detached().moved(to: device, dtype: dtype), requiresGradient)
    moved.requiresGradient = required
    content = .here(moved)
  }
}

extension Tensor {
  /// On a device; floating-point numbers in a type too.
  func moved(to device: Device?, dtype: DType?) -> Tensor {
    let typed = dtype.map { self.dtype.isFloatingPoint ? to($0) : self } ?? self
    return device.map { typed.to($0) } ?? typed
  }
}
