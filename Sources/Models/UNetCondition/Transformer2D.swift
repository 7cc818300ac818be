import NeuralNets
import Torch

/// A transformer whose tokens are the pixels of a picture, beside a shortcut (Rombach et al. 2022,
/// appendix E.2.1), equal to diffusers' `Transformer2DModel` for pictures:
/// `[N, C, H, W]` unchanged in shape.
final class Transformer2D: Module, SpatialAttention {
  let norm: GroupNorm
  let projIn: any Layer
  let transformerBlocks: [TransformerBlock]
  let projOut: any Layer
  private let isLinear: Bool

  /// `layers` blocks; `isLinear` says whether the projections are linear layers on tokens or 1×1
  /// convolutions on pictures: the same functions, with weights of other shapes.
  init(
    _ channels: Int, heads: Int, layers: Int, contextWidth: Int, groups: Int, isLinear: Bool,
    onlyCross: Bool, using generator: Generator?
  ) {
    func projection() -> any Layer {
      isLinear
        ? Linear(channels, channels, using: generator)
        : Conv2d(channels, channels, kernel: 1, using: generator)
    }
    norm = GroupNorm(groups: groups, channels: channels, eps: 1e-6)
    projIn = projection()
    transformerBlocks = (0..<layers).map { _ in
      TransformerBlock(
        channels, heads: heads, contextWidth: contextWidth, onlyCross: onlyCross, using: generator)
    }
    projOut = projection()
    self.isLinear = isLinear
  }

  func callAsFunction(_ x: Tensor, prompt: PromptContext?) -> Tensor {
    guard let prompt else { preconditionFailure("a transformer needs a prompt") }
    let pixels = norm(x)
    var tokens = isLinear ? projIn(Self.tokens(pixels)) : Self.tokens(projIn(pixels))
    for block in transformerBlocks { tokens = block(tokens, prompt: prompt) }
    return isLinear
      ? Self.picture(projOut(tokens, adding: Self.tokens(x)), like: x)
      : projOut(Self.picture(tokens, like: x), adding: x)
  }

  /// `[N, C, H, W]` to `[N, H · W, C]`: no copy where pictures lie channels-last.
  private static func tokens(_ x: Tensor) -> Tensor { x.flattened(from: 2).transposed(1, 2) }

  /// `[N, H · W, C]` to `[N, C, H, W]`, channels-last without a copy.
  private static func picture(_ tokens: Tensor, like x: Tensor) -> Tensor {
    tokens.transposed(1, 2).reshaped([x.size(0), -1, x.size(2), x.size(3)])
  }
}
