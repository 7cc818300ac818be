import Evaluation
import TestSupport
import Testing
import Torch

/// Measures of pictures against scikit-image, pytorch-msssim and numpy.
@Suite struct PictureMeasureTests {
  static let sizes = ["1x28", "3x64", "1x176", "1x181"]

  private static func pair(_ size: String) throws -> (fixture: Fixture, a: Tensor, b: Tensor) {
    let fixture = try Fixture("evaluation/pictures")
    func picture(_ name: String) throws -> Tensor {
      try fixture["\(size).\(name)"].to(.float64) / 255
    }
    return (fixture, try picture("a"), try picture("b"))
  }

  @Test(arguments: sizes)
  func errorsAndSimilarityAreScikitImages(_ size: String) throws {
    let (fixture, a, b) = try Self.pair(size)
    expectClose(
      PictureErrors.meanSquaredError(a, b), try fixture["\(size).mse"], rtol: 1e-9, atol: 0)
    expectClose(
      PictureErrors.peakSignalToNoise(a, b), try fixture["\(size).psnr"], rtol: 1e-9, atol: 0)
    let found = try StructuralSimilarity.single(a, b)
    expectClose(Tensor(found.values), try fixture["\(size).ssim"], rtol: 1e-8, atol: 0)
    // Pictures come as float32.
    let single = try StructuralSimilarity.single(a.to(.float32), b.to(.float32))
    expectClose(Tensor(single.values), try fixture["\(size).ssim"], rtol: 1e-5, atol: 0)
    #expect(found.scales == 1)
  }

  @Test(arguments: [("3x64", 3), ("1x176", 5), ("1x181", 5)])
  func multiscaleSimilarityIsPytorchMSSSIMs(_ size: String, _ scales: Int) throws {
    let (fixture, a, b) = try Self.pair(size)
    let found = try StructuralSimilarity.multiscale(a, b)
    // Its window is rounded to float32.
    expectClose(Tensor(found.values), try fixture["\(size).multiscale"], rtol: 1e-6, atol: 0)
    #expect(found.scales == scales)
  }

  @Test(arguments: [(11, 1), (20, 1), (21, 2), (28, 2), (40, 2), (41, 3), (160, 4), (161, 5)])
  func asManyScalesAsTheWindowFits(_ side: Int, _ scales: Int) throws {
    let x = Tensor.rand([2, 1, side, side + 3], using: Generator(seed: 1))
    let found = try StructuralSimilarity.multiscale(x, x)
    #expect(found.scales == scales)
    #expect(abs(found.mean - 1) < 1e-12)
  }

  @Test func similarityOfTooSmallPicturesIsRefused() {
    let x = Tensor.zeros([1, 1, 10, 30])
    #expect(throws: EvaluationError.self) { try StructuralSimilarity.single(x, x) }
    #expect(throws: EvaluationError.self) { try StructuralSimilarity.multiscale(x, x) }
  }

  @Test func manyPicturesGoInBlocks() throws {
    let x = Tensor.rand([1500, 1, 28, 28], using: Generator(seed: 1))
    let y = (x + 0.1 * Tensor.randn([1500, 1, 28, 28], using: Generator(seed: 2)))
    let all = try StructuralSimilarity.single(x, y)
    let last = try StructuralSimilarity.single(x.narrowed(0, 1499, 1), y.narrowed(0, 1499, 1))
    #expect(all.values.count == 1500)
    #expect(abs(all.values[1499] - last.values[0]) < 1e-12)
    let sharp = Sharpness(of: x)
    let one = Sharpness(of: x.narrowed(0, 1499, 1))
    #expect(sharp.shares.count == 1500 && abs(sharp.shares[1499] - one.mean) < 1e-12)
  }

  @Test(arguments: sizes)
  func sharpnessIsNumpys(_ size: String) throws {
    let (fixture, a, _) = try Self.pair(size)
    expectClose(
      Tensor(Sharpness(of: a).shares), try fixture["\(size).sharpness"], rtol: 1e-9, atol: 0)
    expectClose(
      Tensor(Sharpness(of: a, above: 0.1).shares), try fixture["\(size).sharpness.low"],
      rtol: 1e-9, atol: 0)
  }

  @Test func wavesCountByTheirFrequency() {
    let x = Tensor.arange(16, dtype: .float64)
    func wave(_ periods: Double) -> Tensor {
      (x * (2 * .pi * periods / 16)).cos().unsqueezed(0).expanded([1, 1, 16, 16])
    }
    #expect(Sharpness(of: wave(3)).mean < 1e-12)
    #expect(Sharpness(of: wave(4)).mean < 1e-12)  // a quarter is not above a quarter
    #expect(abs(Sharpness(of: wave(5)).mean - 1) < 1e-12)
    #expect(abs(Sharpness(of: wave(2) + wave(6)).mean - 0.5) < 1e-12)
    #expect(abs(Sharpness(of: wave(2) + wave(8)).mean - 2.0 / 3) < 1e-12)  // ±1: twice the energy
    #expect(Sharpness(of: Tensor.full([1, 3, 8, 8], 0.3)).mean == 0)
  }
}
