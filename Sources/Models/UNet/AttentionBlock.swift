import NeuralNets
import Torch

/// What follows a residual block: attention among the pixels of `[N, C, H, W]`, and for some kinds
/// between them and a prompt.
protocol SpatialAttention: Module {
  func callAsFunction(_ x: Tensor, prompt: PromptContext?) -> Tensor
}

/// Attention among all pixels of a picture beside a shortcut (Ho et al. 2020, appendix B):
/// `[N, C, H, W]` unchanged in shape.
final class AttentionBlock: Module, SpatialAttention {
  let groupNorm: GroupNorm?
  let attention: Attention
  private let outputScale: Double

  /// The projections stand beside the normalisation, without an `attention.` before them.
  override var keys: [String: String] { ["attention": ""] }

  /// `groups` `nil`: no normalisation. The sum with the shortcut is divided by `outputScale`.
  init(
    _ channels: Int, heads: Int, groups: Int?, eps: Double, outputScale: Double = 1,
    using generator: Generator?
  ) {
    groupNorm = groups.map { GroupNorm(groups: $0, channels: channels, eps: eps) }
    attention = Attention(width: channels, heads: heads, bias: true, using: generator)
    self.outputScale = outputScale
  }

  func callAsFunction(_ x: Tensor, prompt: PromptContext?) -> Tensor {
    func pixels(_ x: Tensor) -> Tensor { x.flattened(from: 2).transposed(1, 2) }  // [N, H · W, C]
    let sum = attention(pixels(groupNorm?(x) ?? x), adding: pixels(x)).transposed(1, 2)
      .reshaped(x.shape)
    return outputScale == 1 ? sum : sum / outputScale
  }

  /// The key of today for a weight that diffusers before 0.12 wrote.
  static func currentKey(_ key: String) -> String {
    let renamed = ["query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"]
    var path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    // attentions . place . layer . weight
    guard path.count >= 4, path[path.count - 4] == "attentions",
      let current = renamed[path[path.count - 2]]
    else { return key }
    path[path.count - 2] = current
    return path.joined(separator: ".")
  }
}
