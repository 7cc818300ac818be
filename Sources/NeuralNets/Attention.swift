import Torch

/// Multi-head scaled dot-product attention (Vaswani et al. 2017, §3.2), keys as in diffusers:
/// `to_q`, `to_k`, `to_v`, `to_out.0`.
public final class Attention: Module {
  private let toQ: Linear
  private let toK: Linear
  private let toV: Linear
  private let toOut: [Linear]
  private let heads: Int

  /// Attention of `width` channels over a context of `contextWidth` (its own input by default).
  ///
  /// `heads` must divide `width`. Only the output layer has a bias unless `bias` is set.
  public init(
    width: Int, heads: Int, contextWidth: Int? = nil, bias: Bool = false,
    using generator: Generator?
  ) {
    precondition(width % heads == 0, "\(heads) heads do not divide a width of \(width)")
    let contextWidth = contextWidth ?? width
    toQ = Linear(width, width, bias: bias, using: generator)
    toK = Linear(contextWidth, width, bias: bias, using: generator)
    toV = Linear(contextWidth, width, bias: bias, using: generator)
    toOut = [Linear(width, width, using: generator)]
    self.heads = heads
  }

  /// What a context is to one attention, for as long as its weights stay: `[N, heads, S, d]` each.
  public struct KeysAndValues {
    let keys: Tensor
    let values: Tensor
  }

  /// The keys and values of `context`, `[N, S, contextWidth]`: made once, for any number of calls.
  public func keysAndValues(of context: Tensor) -> KeysAndValues {
    KeysAndValues(keys: split(toK(context)), values: split(toV(context)))
  }

  /// `x` `[N, T, width]` looks at `context` `[N, S, contextWidth]`, or at itself; `[N, T, width]`, to
  /// which `other` is added.
  public func callAsFunction(
    _ x: Tensor, context: Tensor? = nil, mask: Tensor? = nil, adding other: Tensor? = nil
  ) -> Tensor {
    self(x, over: keysAndValues(of: context ?? x), mask: mask, adding: other)
  }

  /// `x` `[N, T, width]` looks at a context of `keysAndValues(of:)`; `[N, T, width]`, to which `other`
  /// is added.
  public func callAsFunction(
    _ x: Tensor, over context: KeysAndValues, mask: Tensor? = nil, adding other: Tensor? = nil
  ) -> Tensor {
    let (query, key, value) = (split(toQ(x)), context.keys, context.values)
    let attended = Tensor.attention(query: query, key: key, value: value, mask: mask)
    let joined = attended.transposed(1, 2).reshaped([x.size(0), x.size(1), -1])
    return other.map { toOut[0](joined, adding: $0) } ?? toOut[0](joined)
  }

  /// `[N, T, heads · d]` to `[N, heads, T, d]`.
  private func split(_ x: Tensor) -> Tensor {
    x.reshaped([x.size(0), x.size(1), heads, -1]).transposed(1, 2)
  }
}
