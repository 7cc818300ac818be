import Datasets
import Torch
import Training

/// How well an autoencoder gives held-out pictures back, in the ways that people compare by.
public struct ReconstructionMeasures {
  /// The mean squared error of values in [0, 1].
  public let meanSquaredError: Double
  /// The mean peak signal-to-noise ratio, dB; pictures that come back exactly are left out.
  public let peakSignalToNoise: Double?
  /// SSIM, the mean; `nil` for pictures smaller than its window.
  public let similarity: Double?
  /// MS-SSIM, the mean, and the number of scales that the pictures had room for.
  public let multiscale: (value: Double, scales: Int)?
  /// The share of fine detail in what comes back and in the pictures: the number behind "it blurs".
  public let sharpness: (reconstructions: Double, real: Double)
  /// The number of pictures.
  public let count: Int

  /// Measures the first `limit` pictures of a set, of the network's own size. Throws when one cannot
  /// be read.
  public init(of run: any RestoringModel, on set: any Dataset, limit: Int = .max) throws {
    try self.init(on: set, limit: limit) { run.restored($0) }
  }

  /// Measures what `restore` gives back of pictures `[N, C, H, W]`, in the same shape.
  init(
    on set: any Dataset, limit: Int, restoring restore: (Tensor) throws -> Tensor
  ) throws {
    count = min(set.count, limit)
    guard count > 0 else { throw EvaluationError(path: set.name, "there are no pictures.") }
    var (errors, ratios, similar, multi) = ([Double](), [Double](), [Double](), [Double]())
    var scales = 0
    var (drawn, real) = ([Double](), [Double]())
    for start in stride(from: 0, to: count, by: 500) {
      let x = try set.pictures(start..<min(start + 500, count))
      let restored = try restore(x)
      try restored.requireFinite("reconstructions")
      errors += PictureErrors.meanSquaredError(restored, x).elements(as: Double.self)
      ratios += PictureErrors.peakSignalToNoise(restored, x).elements(as: Double.self)
      if let found = try? StructuralSimilarity.single(restored, x) { similar += found.values }
      if let found = try? StructuralSimilarity.multiscale(restored, x) {
        multi += found.values
        scales = found.scales
      }
      drawn += Sharpness(of: restored).shares
      real += Sharpness(of: x).shares
    }
    meanSquaredError = mean(errors) ?? 0
    peakSignalToNoise = mean(ratios.filter(\.isFinite))
    similarity = mean(similar)
    multiscale = mean(multi).map { ($0, scales) }
    sharpness = (mean(drawn) ?? 0, mean(real) ?? 0)
  }
}

private func mean(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
