/// The type of a tensor's elements as safetensors names it.
public enum ElementType: String, Sendable, CaseIterable, Codable {
  // The order is that of the Python library, which sorts tensors by it, largest first.
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// Unsigned, 8 bits.
  case uint8 = "U8"
  /// Signed, 8 bits.
  case int8 = "I8"
  /// Floating point with 5 exponent bits and 2 of mantissa.
  case float8e5m2 = "F8_E5M2"
  /// Floating point with 4 exponent bits and 3 of mantissa.
  case float8e4m3 = "F8_E4M3"
  /// Signed, 16 bits.
  case int16 = "I16"
  /// Unsigned, 16 bits.
  case uint16 = "U16"
  /// IEEE half precision.
  case float16 = "F16"
  /// The upper half of a single-precision number.
  case bfloat16 = "BF16"
  /// Signed, 32 bits.
  case int32 = "I32"
  /// Unsigned, 32 bits.
  case uint32 = "U32"
  /// IEEE single precision.
  case float32 = "F32"
  /// IEEE double precision.
  case float64 = "F64"
  /// Signed, 64 bits.
  case int64 = "I64"
  /// Unsigned, 64 bits.
  case uint64 = "U64"

  /// The size of one element in bytes.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// The size in bytes of a tensor of this type and `shape`, or nil when a dimension is negative or
  /// the size does not fit a signed 64-bit number.
  public func byteCount(shape: [Int]) -> Int? {
    // A zero anywhere makes the tensor empty, but must not hide an overflow before it.
    var total = byteCount
    for dimension in shape {
      let (product, overflows) = total.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflows else { return nil }
      total = product
    }
    return total
  }
}
