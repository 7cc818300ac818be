import CTorch

// MARK: - Operators (a shape that does not fit stops with the operation and the shapes)

extension Tensor {
  /// Sum, element by element; shapes broadcast.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    a.binary(b, ct_add, #fileID, #line)
  }

  /// Sum with one number.
  public static func + (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_add_scalar(a.raw, b.scalar, $0) }
  }

  /// Difference, element by element; shapes broadcast.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    a.binary(b, ct_sub, #fileID, #line)
  }

  /// Difference with one number.
  public static func - (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_sub_scalar(a.raw, b.scalar, $0) }
  }

  /// Product, element by element; shapes broadcast.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    a.binary(b, ct_mul, #fileID, #line)
  }

  /// Product with one number.
  public static func * (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_mul_scalar(a.raw, b.scalar, $0) }
  }

  /// Quotient, element by element; shapes broadcast.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    a.binary(b, ct_div, #fileID, #line)
  }

  /// Quotient with one number.
  public static func / (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_div_scalar(a.raw, b.scalar, $0) }
  }

  /// Sum with one number.
  public static func + (a: some TensorScalar, b: Tensor) -> Tensor { b + a }

  /// Product with one number.
  public static func * (a: some TensorScalar, b: Tensor) -> Tensor { b * a }

  /// One number less every element.
  public static func - (a: some TensorScalar, b: Tensor) -> Tensor {
    made(#fileID, #line) { ct_rsub_scalar(b.raw, a.scalar, $0) }
  }

  /// One number over every element.
  public static func / (a: some TensorScalar, b: Tensor) -> Tensor { b.reciprocal() * a }

  /// The opposite of every element.
  public static prefix func - (a: Tensor) -> Tensor { a.unary(ct_neg, #fileID, #line) }

  /// Where the elements are equal, as `bool`.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { a.binary(b, ct_eq, #fileID, #line) }

  /// Where the elements are equal to one number, as `bool`.
  public static func .== (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_eq_scalar(a.raw, b.scalar, $0) }
  }

  /// Where the elements are different, as `bool`.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { a.binary(b, ct_ne, #fileID, #line) }

  /// Where the elements are different from one number, as `bool`.
  public static func .!= (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_ne_scalar(a.raw, b.scalar, $0) }
  }

  /// Where the elements are smaller, as `bool`.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { a.binary(b, ct_lt, #fileID, #line) }

  /// Where the elements are smaller than one number, as `bool`.
  public static func .< (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_lt_scalar(a.raw, b.scalar, $0) }
  }

  /// Where the elements are smaller or equal, as `bool`.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { a.binary(b, ct_le, #fileID, #line) }

  /// Where the elements are smaller or equal to one number, as `bool`.
  public static func .<= (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_le_scalar(a.raw, b.scalar, $0) }
  }

  /// Where the elements are larger, as `bool`.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { a.binary(b, ct_gt, #fileID, #line) }

  /// Where the elements are larger than one number, as `bool`.
  public static func .> (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_gt_scalar(a.raw, b.scalar, $0) }
  }

  /// Where the elements are larger or equal, as `bool`.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { a.binary(b, ct_ge, #fileID, #line) }

  /// Where the elements are larger or equal to one number, as `bool`.
  public static func .>= (a: Tensor, b: some TensorScalar) -> Tensor {
    made(#fileID, #line) { ct_ge_scalar(a.raw, b.scalar, $0) }
  }
}

infix operator .== : ComparisonPrecedence
infix operator .!= : ComparisonPrecedence

// MARK: - Functions of two tensors and more

extension Tensor {
  /// This tensor to the power of another.
  public func pow(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_pow, file, line)
  }

  /// The larger of both, element by element.
  public func maximum(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_maximum, file, line)
  }

  /// The smaller of both, element by element.
  public func minimum(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_minimum, file, line)
  }

  /// The remainder of the division, with the divisor's sign.
  public func remainder(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_remainder, file, line)
  }

  /// The quotient rounded down.
  public func floorDivide(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_floor_divide, file, line)
  }

  /// The angle of the point (other, self), in radians.
  public func atan2(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_atan2, file, line)
  }

  /// Where both are true.
  public func logicalAnd(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_logical_and, file, line)
  }

  /// Where either is true.
  public func logicalOr(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(other, ct_logical_or, file, line)
  }

  /// The matrix product; leading dimensions broadcast.
  public func matmul(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = binary(other, ct_matmul, file, line)
    Work.add(2 * result.count * size(-1))
    return result
  }

  /// The matrix products of two batches, `[B, N, M]` and `[B, M, P]`.
  public func bmm(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = binary(other, ct_bmm, file, line)
    Work.add(2 * result.count * size(-1))
    return result
  }

  /// Every element to the power of one number.
  public func pow(
    _ exponent: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_pow_scalar(raw, exponent.scalar, $0) }
  }

  /// The remainder of the division by one number, with its sign.
  public func remainder(
    _ divisor: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_remainder_scalar(raw, divisor.scalar, $0) }
  }

  /// The quotient by one number, rounded down.
  public func floorDivide(
    _ divisor: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_floor_divide_scalar(raw, divisor.scalar, $0) }
  }

  /// Every element held between two bounds, either of which may be left out.
  public func clamped(
    min low: (any TensorScalar)? = nil, max high: (any TensorScalar)? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    withBounds(low, high) { low, high in made(file, line) { ct_clamp(raw, low, high, $0) } }
  }

  /// Elements of `a` where `condition` is true, of `b` elsewhere; shapes broadcast.
  public static func select(
    _ condition: Tensor, _ a: Tensor, _ b: Tensor,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_where(condition.raw, a.raw, b.raw, $0) }
  }

  /// self + weight · (end − self).
  public func lerp(
    _ end: Tensor, _ weight: Double, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_lerp(raw, end.raw, weight, $0) }
  }

  /// self + value · a · b.
  public func addcmul(
    _ a: Tensor, _ b: Tensor, value: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_addcmul(raw, a.raw, b.raw, value, $0) }
  }

  /// self + value · a / b.
  public func addcdiv(
    _ a: Tensor, _ b: Tensor, value: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_addcdiv(raw, a.raw, b.raw, value, $0) }
  }
}

/// Lends two bounds as pointers; `nil` becomes a null pointer.
func withBounds<R>(
  _ low: (any TensorScalar)?, _ high: (any TensorScalar)?,
  _ body: (UnsafePointer<CTScalar>?, UnsafePointer<CTScalar>?) -> R
) -> R {
  withOptional(low?.scalar) { low in withOptional(high?.scalar) { body(low, $0) } }
}

/// Lends a value as a pointer; `nil` becomes a null pointer.
func withOptional<T, R>(_ value: T?, _ body: (UnsafePointer<T>?) -> R) -> R {
  guard let value else { return body(nil) }
  return withUnsafePointer(to: value) { body($0) }
}
