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

  /// `x` `[N, T, width]` looks at `context` `[N, S, contextWidth]`, or at itself; `[N, T, width]`.
  public func callAsFunction(_ x: Tensor, context: Tensor? = nil, mask: Tensor? = nil) -> Tensor {
    let context = context ?? x
    func split(_ y: Tensor) -> Tensor {  // [N, T, heads · d] to [N, heads, T, d]
      y.reshaped([y.size(0), y.size(1), heads, -1]).transposed(1, 2)
    }
    let (query, key, value) = (split(toQ(x)), split(toK(context)), split(toV(context)))
    let attended =
      mask == nil && isFasterWrittenOut(query, keys: context.size(1))
      ? (query * (1 / Double(query.size(3)).squareRoot())).matmul(key.transposed()).softmax(-1)
        .matmul(value)
      : Tensor.attention(query: query, key: key, value: value, mask: mask)
    let joined = attended.transposed(1, 2).reshaped([x.size(0), x.size(1), -1])
    return toOut[0](joined)
  }

  /// Whether the products and the softmax one by one beat libtorch's fused kernel, as measured on a
  /// CPU: with few keys they do, but not beside the kernel of our own for heads of few channels.
  private func isFasterWrittenOut(_ query: Tensor, keys: Int) -> Bool {
    query.device == .cpu && query.dtype == .float32 && keys <= 128 && query.size(3) > 32
  }
}
