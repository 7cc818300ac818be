import CTorch

// In-place operations change memory that other tensors may look at too. Outside
// `withoutGradients` they are recorded like any other operation.

extension Tensor {
  /// Adds `scale` · `other` to every element.
  public func add(
    _ other: Tensor, scale: Double = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_add_(raw, other.raw, scale), file, line)
  }

  /// Adds one number to every element.
  public func add(
    _ value: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_add_scalar_(raw, value.scalar), file, line)
  }

  /// Multiplies by another tensor.
  public func multiply(
    by other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_mul_(raw, other.raw), file, line)
  }

  /// Multiplies by one number.
  public func multiply(
    by factor: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_mul_scalar_(raw, factor.scalar), file, line)
  }

  /// Divides by another tensor.
  public func divide(
    by other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_div_(raw, other.raw), file, line)
  }

  /// Takes over the values of a tensor of the same shape, converting type and device.
  public func copy(
    from source: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_copy_(raw, source.raw), file, line)
  }

  /// Gives every element one value.
  public func fill(
    _ value: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_fill_(raw, value.scalar), file, line)
  }

  /// Holds every element between two bounds.
  public func clamp(
    min low: (any TensorScalar)? = nil, max high: (any TensorScalar)? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    withBounds(low, high) { check(ct_clamp_(raw, $0, $1), file, line) }
  }

  /// Moves every element towards `end` by the share `weight`.
  public func lerp(
    towards end: Tensor, _ weight: Double, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_lerp_(raw, end.raw, weight), file, line)
  }

  /// Adds value · a · b.
  public func addProduct(
    _ a: Tensor, _ b: Tensor, value: Double = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_addcmul_(raw, a.raw, b.raw, value), file, line)
  }

  /// Adds value · a / b.
  public func addQuotient(
    _ a: Tensor, _ b: Tensor, value: Double = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_addcdiv_(raw, a.raw, b.raw, value), file, line)
  }
}
