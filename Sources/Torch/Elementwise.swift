import CTorch

extension Tensor {
  @inline(__always)
  func unary(
    _ operation: (CTTensor?, UnsafeMutablePointer<CTTensor?>?) -> Int32,
    _ file: StaticString, _ line: UInt
  ) -> Tensor {
    made(file, line) { operation(raw, $0) }
  }

  @inline(__always)
  func binary(
    _ other: Tensor, _ operation: (CTTensor?, CTTensor?, UnsafeMutablePointer<CTTensor?>?) -> Int32,
    _ file: StaticString, _ line: UInt
  ) -> Tensor {
    made(file, line) { operation(raw, other.raw, $0) }
  }
}

// MARK: - Functions of one tensor, element by element

extension Tensor {
  /// e to the power of every element.
  public func exp(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_exp, file, line)
  }

  /// e^x − 1, exact near zero.
  public func expm1(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_expm1, file, line)
  }

  /// The natural logarithm.
  public func log(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_log, file, line)
  }

  /// log(1 + x), exact near zero.
  public func log1p(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_log1p, file, line)
  }

  /// The logarithm to base 2.
  public func log2(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_log2, file, line)
  }

  /// The logarithm to base 10.
  public func log10(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_log10, file, line)
  }

  /// The square root.
  public func sqrt(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_sqrt, file, line)
  }

  /// One over the square root.
  public func rsqrt(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_rsqrt, file, line)
  }

  /// The square.
  public func square(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_square, file, line)
  }

  /// One over every element.
  public func reciprocal(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_reciprocal, file, line)
  }

  /// The magnitude.
  public func abs(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_abs, file, line)
  }

  /// −1, 0 or 1.
  public func sign(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_sign, file, line)
  }

  /// The sine, in radians.
  public func sin(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_sin, file, line)
  }

  /// The cosine, in radians.
  public func cos(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_cos, file, line)
  }

  /// The tangent, in radians.
  public func tan(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_tan, file, line)
  }

  /// The inverse sine, in radians.
  public func asin(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_asin, file, line)
  }

  /// The inverse cosine, in radians.
  public func acos(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_acos, file, line)
  }

  /// The inverse tangent, in radians.
  public func atan(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_atan, file, line)
  }

  /// The hyperbolic sine.
  public func sinh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_sinh, file, line)
  }

  /// The hyperbolic cosine.
  public func cosh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_cosh, file, line)
  }

  /// The hyperbolic tangent.
  public func tanh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_tanh, file, line)
  }

  /// The error function.
  public func erf(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_erf, file, line)
  }

  /// The inverse of the error function.
  public func erfinv(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_erfinv, file, line)
  }

  /// The logarithm of the gamma function.
  public func lgamma(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_lgamma, file, line)
  }

  /// The next whole number below.
  public func floor(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_floor, file, line)
  }

  /// The next whole number above.
  public func ceil(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_ceil, file, line)
  }

  /// The nearest whole number, halves to even.
  public func round(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_round, file, line)
  }

  /// The whole part.
  public func trunc(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_trunc, file, line)
  }

  /// Where an element is not a number.
  public func isNaN(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_isnan, file, line)
  }

  /// Where an element is neither infinite nor not a number.
  public func isFinite(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_isfinite, file, line)
  }

  /// Where an element is zero or false.
  public func logicalNot(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_logical_not, file, line)
  }
}
