import Evaluation
import Foundation
import Models
import Testing
import Torch

/// What the dimensions of a code do, on posteriors whose figures are known.
@Suite struct LatentDimensionsTests {
  @Test func aCollapsedADullAndAnActiveDimension() throws {
    // Means: always 0; ± 0.05, a variance of 0.0025; ± 2, a variance of 4 (times n / (n − 1)).
    let n = 1000
    let sign = Tensor((0..<n).map { $0.isMultiple(of: 2) ? 1 : -1 as Float }, shape: [n, 1])
    let mean = sign * Tensor([0, 0.05, 2] as [Float])
    let sigmas: [Float] = [1, 0.9, 0.1]
    let logVariance = Tensor(sigmas.map { 2 * log($0) }).unsqueezed(0).expanded([n, 3])
    let found = LatentDimensions(of: DiagonalGaussian(mean: mean, logVariance: logVariance))

    let unbiased = Double(n) / Double(n - 1)
    for (variance, expected) in zip(found.variances, [0, 0.0025 * unbiased, 4 * unbiased]) {
      #expect(abs(variance - expected) < 1e-5)
    }
    // ½ (μ² + σ² − 1 − log σ²)
    let kl = [0, 0.5 * (0.0025 + 0.81 - 1 - log(0.81)), 0.5 * (4 + 0.01 - 1 - log(0.01))]
    for (value, expected) in zip(try #require(found.kl), kl) {
      #expect(abs(value - expected) < 1e-5)
    }
    #expect(found.activeUnits == 1)
    #expect(found.byVariance == [2, 1, 0])
  }

  @Test func codesOfAnAutoencoderSayNothingInNats() {
    let codes = Tensor.randn([400, 3], using: Generator(seed: 2)) * Tensor([1, 3, 2] as [Float])
    let found = LatentDimensions(codes: codes)
    #expect(found.kl == nil)
    #expect(found.byVariance == [1, 2, 0])
    #expect(found.activeUnits == 3)
  }

  @Test func oneCodeDoesNotVary() {
    let found = LatentDimensions(codes: .ones([1, 4]))
    #expect(found.variances == [0, 0, 0, 0])
    #expect(found.activeUnits == 0)
    #expect(found.byVariance == [0, 1, 2, 3])
  }
}
