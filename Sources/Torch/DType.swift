import CTorch

/// The type of a tensor's elements.
public enum DType: Int32, Sendable, CaseIterable {
  /// Unsigned bytes.
  case uint8 = 0
  /// Signed 64-bit integers: indices and labels.
  case int64 = 4
  /// IEEE half precision.
  case float16 = 5
  /// IEEE single precision, the default.
  case float32 = 6
  /// IEEE double precision.
  case float64 = 7
  /// Truth values, one byte each.
  case bool = 11
  /// The upper half of a float32.
  case bfloat16 = 15

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .uint8, .bool: 1
    case .float16, .bfloat16: 2
    case .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether the elements are fractions.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .float32, .float64, .bfloat16: true
    case .uint8, .int64, .bool: false
    }
  }
}

/// A Swift type whose values are the elements of a tensor.
public protocol TensorElement {
  /// The element type that has this memory layout.
  static var dtype: DType { get }
}

extension UInt8: TensorElement {
  /// Unsigned bytes.
  public static var dtype: DType { .uint8 }
}
extension Int: TensorElement {
  /// Signed 64-bit integers.
  public static var dtype: DType { .int64 }
}
extension Int64: TensorElement {
  /// Signed 64-bit integers.
  public static var dtype: DType { .int64 }
}
extension Float: TensorElement {
  /// IEEE single precision.
  public static var dtype: DType { .float32 }
}
extension Double: TensorElement {
  /// IEEE double precision.
  public static var dtype: DType { .float64 }
}
extension Bool: TensorElement {
  /// Truth values.
  public static var dtype: DType { .bool }
}

/// A number beside a tensor: `x * 2`, `x + 0.5`. Integers keep integer tensors integer.
public protocol TensorScalar {
  /// The number as the C boundary takes it.
  var scalar: CTScalar { get }
}

extension Int: TensorScalar {
  /// The integer, kept as one.
  public var scalar: CTScalar {
    CTScalar(floating: Double(self), integer: Int64(self), is_integer: true)
  }
}
extension Double: TensorScalar {
  /// The fraction.
  public var scalar: CTScalar { CTScalar(floating: self, integer: 0, is_integer: false) }
}
extension Float: TensorScalar {
  /// The fraction, widened.
  public var scalar: CTScalar { Double(self).scalar }
}
