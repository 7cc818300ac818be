import Torch

/// How far pictures are from others, pixel by pixel. Pictures are `[N, C, H, W]` in 0…1, computed in
/// float64, one figure a picture.
public enum PictureErrors {
  /// The mean squared difference, `[N]`.
  public static func meanSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.rank == 4 && a.shape == b.shape, "pictures \(a.shape) against \(b.shape)")
    return (a.to(.float64) - b.to(.float64)).square().flattened(from: 1).mean([1])
  }

  /// The peak signal-to-noise ratio −10 log₁₀ MSE in decibels, `[N]`; infinite for equal pictures.
  public static func peakSignalToNoise(_ a: Tensor, _ b: Tensor) -> Tensor {
    -10 * meanSquaredError(a, b).log10()
  }
}
