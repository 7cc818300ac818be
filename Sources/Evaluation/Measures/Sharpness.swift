import Torch

/// The share of a picture's energy that is in fine detail; a model that blurs has less of it than real
/// pictures have.
///
/// Energy is |F|², F the discrete Fourier transform of a picture without its mean, summed over the
/// channels. The frequency of a wave is √(fx² + fy²), in periods a pixel.
public struct Sharpness: Sendable, Equatable {
  /// The share of every picture, 0 for one of a single colour.
  public let shares: [Double]
  /// Waves of a higher frequency count as detail.
  public let frequency: Double
  /// The mean over the pictures.
  public var mean: Double { shares.reduce(0, +) / Double(shares.count) }

  /// The shares of pictures `[N, C, H, W]` above a frequency; a quarter is half of the highest that
  /// pixels can show along a side.
  public init(of pictures: Tensor, above frequency: Double = 0.25) {
    self.frequency = frequency
    let (count, height, width) = (pictures.size(0), pictures.size(2), pictures.size(3))
    let all = Self.weights(height, width) { $0 > 0 }
    let fine = Self.weights(height, width) { $0 > frequency }
    let block = max(1, 1_000_000 / (pictures.size(1) * height * width))
    shares = stride(from: 0, to: count, by: block).flatMap { start -> [Double] in
      let part = pictures.narrowed(0, start, min(block, count - start)).to(.float64)
      let mean = part.mean([2, 3], keepingDims: true)
      let energy = (part - mean).rfft2().square().sum([-1]).sum([1])  // [N, H, W / 2 + 1]
      let total = (energy * all).sum([1, 2])
      let share = (energy * fine).sum([1, 2]) / total
      // What rounding leaves of a flat picture is no detail.
      return share.maskedFilled(total .<= 1e-20 * Double(height * width), 0).elements()
    }
  }

  /// How often each wave of the half spectrum stands in the whole one, `[H, W / 2 + 1]`; 0 where its
  /// frequency is not `wanted`.
  private static func weights(
    _ height: Int, _ width: Int, _ wanted: (Double) -> Bool
  ) -> Tensor {
    let columns = width / 2 + 1
    let weights = (0..<height).flatMap { row in
      (0..<columns).map { column -> Double in
        let fy = Double(min(row, height - row)) / Double(height)
        let fx = Double(column) / Double(width)
        guard wanted((fx * fx + fy * fy).squareRoot()) else { return 0 }
        return column == 0 || 2 * column == width ? 1 : 2
      }
    }
    return Tensor(weights, shape: [height, columns])
  }
}
