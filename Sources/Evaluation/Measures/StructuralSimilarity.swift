import Foundation
import Torch

/// SSIM (Wang et al. 2004) and MS-SSIM (Wang et al. 2003) of pictures `[N, C, H, W]` in 0…1, in
/// float64: 1 for equal pictures.
///
/// The window is a Gaussian of deviation 1.5 over 11 × 11 pixels. Only windows that lie inside of the
/// picture count, every channel by itself.
public struct StructuralSimilarity: Sendable, Equatable {
  /// The figure of every picture.
  public let values: [Double]
  /// The number of scales: 1 for SSIM, up to 5 for MS-SSIM.
  public let scales: Int
  /// The mean over the pictures.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }

  /// SSIM: eq. 13 of Wang et al. 2004.
  ///
  /// - Throws: `EvaluationError` for pictures smaller than the window.
  public static func single(_ a: Tensor, _ b: Tensor) throws(EvaluationError) -> Self {
    try require(a, b)
    let values = byBlock(a, b) { a, b in comparison(a, b).whole.mean([1]) }
    return Self(values: values, scales: 1)
  }

  /// MS-SSIM: eq. 7 of Wang et al. 2003. From one scale to the next pictures are halved by means of
  /// 2 × 2 pixels, with a margin of zeros where a side is odd.
  ///
  /// Five scales need 161 pixels. Smaller pictures get as many scales as have room for the window,
  /// with the paper's weights of these divided by their sum: comparable at equal `scales` only.
  ///
  /// - Throws: `EvaluationError` for pictures smaller than the window.
  public static func multiscale(_ a: Tensor, _ b: Tensor) throws(EvaluationError) -> Self {
    try require(a, b)
    let side = min(a.size(2), a.size(3))
    let scales = (1...weights.count).last { side > (window - 1) << ($0 - 1) } ?? 1
    let used = weights.prefix(scales)
    let sum = scales < weights.count ? used.reduce(0, +) : 1  // the five add up to 1.0001
    let values = byBlock(a, b) { a, b in
      var (a, b) = (a, b)
      var product = Tensor.ones([a.size(0), a.size(1)], dtype: .float64)
      for (scale, weight) in used.enumerated() {
        let (whole, structure) = comparison(a, b)
        // A negative mean has no real power.
        let factor = (scale == scales - 1 ? whole : structure).clamped(min: 0)
        product = product * factor.pow(weight / sum)
        (a, b) = (halved(a), halved(b))
      }
      return product.mean([1])
    }
    return Self(values: values, scales: scales)
  }

  private static let window = 11
  private static let weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]

  /// The mean over the windows of SSIM and of its factor without luminance, `[N, C]` each.
  private static func comparison(_ a: Tensor, _ b: Tensor) -> (whole: Tensor, structure: Tensor) {
    let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
    let (meanA, meanB) = (blurred(a), blurred(b))
    let varianceA = blurred(a.square()) - meanA.square()
    let varianceB = blurred(b.square()) - meanB.square()
    let covariance = blurred(a * b) - meanA * meanB
    let structure = (2 * covariance + c2) / (varianceA + varianceB + c2)
    let luminance = (2 * (meanA * meanB) + c1) / (meanA.square() + meanB.square() + c1)
    return ((luminance * structure).mean([2, 3]), structure.mean([2, 3]))
  }

  /// `[N, C, H, W]` to the weighted means of its windows, `[N, C, H − 10, W − 10]`.
  private static func blurred(_ x: Tensor) -> Tensor {
    let offsets = (0..<window).map { Double($0 - window / 2) }
    let bells = offsets.map { exp(-$0 * $0 / (2 * 1.5 * 1.5)) }
    let kernel = Tensor(bells.map { $0 / bells.reduce(0, +) })
    let (count, channels, height, width) = (x.size(0), x.size(1), x.size(2), x.size(3))
    return x.reshaped([count * channels, 1, height, width])
      .conv2d(weight: kernel.reshaped([1, 1, window, 1]))
      .conv2d(weight: kernel.reshaped([1, 1, 1, window]))
      .reshaped([count, channels, height - window + 1, width - window + 1])
  }

  private static func halved(_ x: Tensor) -> Tensor {
    x.avgPool2d(kernel: 2, padding: Extent(x.size(2) % 2, x.size(3) % 2))
  }

  /// `body`'s figures of all pictures, a block of about a million pixels at a time.
  private static func byBlock(
    _ a: Tensor, _ b: Tensor, _ body: (Tensor, Tensor) -> Tensor
  ) -> [Double] {
    let count = a.size(0)
    let height = max(1, 1_000_000 / (a.size(1) * a.size(2) * a.size(3)))
    return stride(from: 0, to: count, by: height).flatMap { start -> [Double] in
      let length = min(height, count - start)
      return body(
        a.narrowed(0, start, length).to(.float64), b.narrowed(0, start, length).to(.float64)
      ).elements()
    }
  }

  private static func require(_ a: Tensor, _ b: Tensor) throws(EvaluationError) {
    precondition(a.rank == 4 && a.shape == b.shape, "pictures \(a.shape) against \(b.shape)")
    guard min(a.size(2), a.size(3)) >= window else {
      throw EvaluationError(
        "SSIM looks through windows of \(window)×\(window) pixels, and the pictures are "
          + "\(a.size(3))×\(a.size(2)); leave the measure out.")
    }
  }
}
