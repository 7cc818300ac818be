import CTorch

/// In what numbers matrix products and convolutions are computed.
public enum Precision: String, Codable, Sendable, CaseIterable {
  /// float32.
  case fp32
  /// bfloat16, from weights that stay in float32; sums, normalisations and losses in float32.
  case bf16

  /// That of this thread now.
  public static var current: Precision { ct_bfloat16_products() ? .bf16 : .fp32 }

  /// Computes `body` in this precision, on this thread.
  public func callAsFunction<R, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    let before = ct_bfloat16_products()
    ct_set_bfloat16_products(self == .bf16)
    defer { ct_set_bfloat16_products(before) }
    return try body()
  }
}

extension Tensor {
  /// A bfloat16 result as float32; any other as it is. What networks give is this.
  public var inFullPrecision: Tensor { dtype == .bfloat16 ? to(.float32) : self }
}
