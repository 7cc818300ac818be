import TestSupport
import Testing
import Torch

@testable import Models

/// Tiles and their seams, with functions in place of networks.
@Suite struct TilingTests {
  private static let scale = 8

  /// A decoder that knows nothing of its surroundings.
  private func enlarged(_ z: Tensor) -> Tensor {
    z.interpolated(to: Extent(Self.scale * z.size(2), Self.scale * z.size(3)))
  }

  @Test(arguments: [0.25, 0.5, 0])
  func tilesThatAgreeGiveTheWhole(_ overlap: Double) {
    let tiling = Tiling(sampleSize: 64, latentSize: 8, overlap: overlap)
    let z = Tensor.randn([1, 2, 20, 24], using: Generator(seed: 3))
    expectClose(
      tiling.decoded(z, scale: Self.scale, enlarged), enlarged(z), rtol: 0, atol: 1e-6)
    let x = Tensor.randn([1, 2, 160, 192], using: Generator(seed: 4))
    let pooled = { (x: Tensor) in x.avgPool2d(kernel: Extent(Self.scale)) }
    expectClose(tiling.encoded(x, scale: Self.scale, pooled), pooled(x), rtol: 0, atol: 1e-6)
  }

  /// The largest difference of neighbouring pixels where tiles of Stable Diffusion's size lie, every
  /// other one brighter by `contrast`.
  private func largestStep(height: Int, width: Int, contrast: Double) -> Double {
    let tiling = Tiling(sampleSize: 512, latentSize: 64)
    let columns = (width + 47) / 48
    var tiles = 0
    let picture = tiling.decoded(.zeros([1, 1, height, width]), scale: Self.scale) { tile in
      let isBright = (tiles / columns + tiles % columns) % 2 == 1
      tiles += 1
      return enlarged(tile) + (isBright ? contrast : 0)
    }
    #expect(tiles == columns * ((height + 47) / 48))
    #expect(picture.shape == [1, 1, 8 * height, 8 * width])
    #expect(picture.max().item() - picture.min().item() > 0.99 * contrast)
    return [2, 3].map { dim in
      let last = picture.size(dim) - 1
      return (picture.narrowed(dim, 1, last) - picture.narrowed(dim, 0, last)).abs().max().item()
    }.max() ?? 0
  }

  /// In a row and in a column even black tiles beside white ones leave no step.
  @Test func tilesThatDifferLeaveNoSeam() {
    #expect(largestStep(height: 48, width: 208, contrast: 1) < 1e-2)
    #expect(largestStep(height: 208, width: 48, contrast: 1) < 1e-2)
  }

  /// Where four tiles meet diffusers blends twice, which leaves a step of a quarter of their
  /// difference: h (1 − h) of it, with h the share of the tile on the right.
  @Test func fourTilesThatDifferALittleLeaveNoSeam() {
    #expect(largestStep(height: 160, width: 160, contrast: 0.03) < 1e-2)
    #expect(abs(largestStep(height: 160, width: 160, contrast: 1) - 0.25) < 1e-3)
  }

  /// A tile of less than a latent would encode to nothing.
  @Test func leftOverPixelsAreLeftOut() {
    let tiling = Tiling(sampleSize: 64, latentSize: 8)
    let x = Tensor.randn([1, 1, 151, 80], using: Generator(seed: 4))
    let pooled = { (x: Tensor) in x.avgPool2d(kernel: Extent(Self.scale)) }
    expectClose(tiling.encoded(x, scale: Self.scale, pooled), pooled(x), rtol: 0, atol: 1e-6)
  }

  @Test func tilingsThatLeaveGapsAreExplained() {
    #expect(Tiling(sampleSize: 512, latentSize: 64).problem(scale: 8) == nil)
    #expect(
      Tiling(sampleSize: 40, latentSize: 5).problem(scale: 8)
        == "tiles of 40 pixels and 5 latents with an overlap of 0.25 leave gaps; "
        + "choose sides of which the overlap is a whole number of latents")
    for bad in [
      Tiling(sampleSize: 0, latentSize: 0), Tiling(sampleSize: 8, latentSize: 1, overlap: 1),
      Tiling(sampleSize: 8, latentSize: 1, overlap: .nan),
      Tiling(sampleSize: 8, latentSize: 1, overlap: 0.75),
      Tiling(sampleSize: 512, latentSize: 32),
    ] {
      #expect(bad.problem(scale: 8) != nil)
    }
  }
}
