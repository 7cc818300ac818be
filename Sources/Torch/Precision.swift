import CTorch

/// In what numbers matrix products and convolutions are computed.
public enum Precision: String, Codable, Sendable, CaseIterable {
  /// float32.
  case fp32
  /// float32 as sums of bfloat16 halves, x = h + l: three products of a processor's matrix unit for
  /// one, and errors some ten times those of float32. Where there is no such unit, float32.
  case bf16x3
  /// bfloat16, from weights that stay in float32; sums, normalisations and losses in float32.
  case bf16

  /// That of this thread now.
  public static var current: Precision {
    ct_bfloat16_products() ? .bf16 : ct_products_by_halves() ? .bf16x3 : .fp32
  }

  /// Computes `body` in this precision, on this thread.
  public func callAsFunction<R, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    let before = Precision.current
    set()
    defer { before.set() }
    return try body()
  }

  private func set() {
    ct_set_bfloat16_products(self == .bf16)
    ct_set_products_by_halves(self == .bf16x3)
  }
}

extension Tensor {
  /// A bfloat16 result as float32; any other as it is. What networks give is this.
  public var inFullPrecision: Tensor { dtype == .bfloat16 ? to(.float32) : self }
}
