import Torch

/// What a U-Net of Stable Diffusion XL is told besides the prompt (Podell et al. 2023, §2.2).
public struct AddedConditions {
  /// The pooled state of the second text encoder, `[N, width]`.
  public var pooled: Tensor
  /// Height and width of the original picture, top and left of the crop, height and width of the
  /// target, in pixels: `[N, 6]`; other networks have other numbers.
  public var sizes: Tensor

  /// Both for a batch.
  public init(pooled: Tensor, sizes: Tensor) {
    self.pooled = pooled
    self.sizes = sizes
  }
}
