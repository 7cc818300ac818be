import NeuralNets
import Torch

/// Attention of pixels among themselves, attention of pixels to the prompt, a feed-forward network,
/// each beside a shortcut with the normalisation before it (Rombach et al. 2022, §3.3):
/// `[N, T, width]` unchanged in shape.
final class TransformerBlock: Module {
  let norm1: LayerNorm
  let attn1: Attention
  let norm2: LayerNorm
  let attn2: Attention
  let norm3: LayerNorm
  let ff: FeedForward
  private let onlyCross: Bool

  /// With `onlyCross` the first attention looks at the prompt too.
  init(
    _ width: Int, heads: Int, contextWidth: Int, onlyCross: Bool, using generator: Generator?
  ) {
    norm1 = LayerNorm(width)
    attn1 = Attention(
      width: width, heads: heads, contextWidth: onlyCross ? contextWidth : nil, using: generator)
    norm2 = LayerNorm(width)
    attn2 = Attention(width: width, heads: heads, contextWidth: contextWidth, using: generator)
    norm3 = LayerNorm(width)
    ff = FeedForward(width, using: generator)
    self.onlyCross = onlyCross
  }

  /// The attentions that look at the prompt.
  var crossAttentions: [Attention] { onlyCross ? [attn1, attn2] : [attn2] }

  func callAsFunction(_ x: Tensor, prompt: PromptContext) -> Tensor {
    let normed = norm1(x)
    // As in diffusers, tokens are masked for the second attention alone.
    var h =
      onlyCross
      ? attn1(normed, over: prompt.keysAndValues(for: attn1), adding: x)
      : attn1(normed, adding: x)
    h = attn2(norm2(h), over: prompt.keysAndValues(for: attn2), mask: prompt.bias, adding: h)
    return ff(norm3(h), adding: h)
  }
}
