import CTorch

/// A multi-dimensional array on a device, possibly part of an autograd graph.
///
/// A value over one reference-counted handle: copying a `Tensor` copies no data, and the memory is
/// released with the last copy. Tensors are not `Sendable`; hand plain bytes to other threads.
///
/// Shapes that do not fit are mistakes of the program: the process stops with libtorch's own
/// sentence, the operation, the shapes, and the caller's file and line. Whatever comes from a
/// person or a file is checked before it becomes a tensor.
public struct Tensor {
  let storage: TensorHandle

  init(owning raw: CTTensor) {
    storage = TensorHandle(raw)
  }

  /// The borrowed C handle, valid while this value lives.
  var raw: CTTensor { storage.raw }
}

/// The one owner of a C handle.
final class TensorHandle {
  let raw: CTTensor

  init(_ raw: CTTensor) {
    self.raw = raw
  }

  deinit {
    ct_tensor_free(raw)
  }
}

// MARK: - Properties

extension Tensor {
  /// The extent of every dimension.
  public var shape: [Int] {
    let count = Int(ct_ndim(raw))
    return [Int](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.withMemoryRebound(to: Int64.self) { ct_sizes(raw, $0.baseAddress) }
      initialized = count
    }
  }

  /// The distance in elements between neighbours along every dimension.
  public var strides: [Int] {
    let count = Int(ct_ndim(raw))
    return [Int](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.withMemoryRebound(to: Int64.self) { ct_strides(raw, $0.baseAddress) }
      initialized = count
    }
  }

  /// The number of dimensions.
  public var rank: Int { Int(ct_ndim(raw)) }

  /// The number of elements.
  public var count: Int { Int(ct_numel(raw)) }

  /// The type of the elements.
  public var dtype: DType { DType(rawValue: ct_dtype(raw)) ?? .float32 }

  /// Where the elements live.
  public var device: Device {
    var index: Int32 = 0
    let kind = ct_device(raw, &index)
    return Device(kind: kind, index: Int(index))
  }

  /// The extent of one dimension; negative dimensions count from the end.
  public func size(_ dim: Int) -> Int {
    let shape = shape
    precondition(
      dim >= -shape.count && dim < shape.count, "dimension \(dim) of a tensor shaped \(shape)")
    return shape[dim < 0 ? dim + shape.count : dim]
  }

  /// Whether the elements lie in memory in the order that `format` names.
  public func isContiguous(_ format: MemoryFormat = .contiguous) -> Bool {
    ct_is_contiguous(raw, format == .channelsLast)
  }

  /// Whether both tensors look at the same memory.
  public func sharesMemory(with other: Tensor) -> Bool {
    ct_same_storage(raw, other.raw)
  }

  /// The number of tensor handles alive in the process; a test compares it before and after.
  public static var liveCount: Int { Int(ct_live_handles()) }
}

/// The order of a picture batch `[N, C, H, W]` in memory; the logical layout never changes.
public enum MemoryFormat: Sendable {
  /// Row-major: the last dimension is closest together.
  case contiguous
  /// The channels of one pixel lie side by side, which convolutions prefer.
  case channelsLast
}

extension Tensor: CustomStringConvertible {
  /// The elements and the shape, as libtorch prints them.
  public var description: String {
    var text: UnsafeMutablePointer<CChar>?
    guard ct_description(raw, &text) == 0, let text else { return "Tensor\(shape)" }
    defer { ct_string_free(text) }
    return String(cString: text)
  }
}
