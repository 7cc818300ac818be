import Datasets
import Evaluation
import Testing
import Torch

/// The map of a latent space against what principal components have to do.
@Suite struct LatentMapTests {
  /// Codes that vary by 3 along one direction, by 1 along another, hardly at all elsewhere.
  private func codes() -> (codes: Tensor, first: Tensor, second: Tensor) {
    let random = Generator(seed: 7)
    let first = Tensor([0.6, 0.8, 0, 0, 0] as [Float])
    let second = Tensor([0, 0, 0, 1, 0] as [Float])
    let spread = Tensor.randn([4000, 2], using: random)
    let rest = 0.01 * Tensor.randn([4000, 5], using: random)
    let codes =
      3 * spread.narrowed(1, 0, 1) * first + spread.narrowed(1, 1, 1) * second + rest + 5
    return (codes, first, second)
  }

  @Test func thePlaneHoldsTheDirectionsOfLargestSpread() {
    let (codes, _, _) = codes()
    let points = LatentMap(of: codes).points
    let deviations: [Float] = points.deviation([0]).elements()
    #expect(abs(deviations[0] - 3) < 0.15)
    #expect(abs(deviations[1] - 1) < 0.05)
    let means: [Float] = points.mean([0]).elements()
    #expect(abs(means[0]) < 1e-3 && abs(means[1]) < 1e-3)
  }

  @Test func theAxesTellTheirShareOfTheVariance() {
    // 9 and 1 of a variance of 10 and five times 0.01².
    let shares = LatentMap(of: codes().codes).explainedVariance
    #expect(abs(shares[0] - 0.9) < 0.01 && abs(shares[1] - 0.1) < 0.01)
    #expect(abs(shares.reduce(0, +) - 1) < 1e-3)
  }

  @Test func aLatticeLiesInThePlaneOfTheCodes() {
    let (codes, first, second) = codes()
    let lattice = LatentMap(of: codes).lattice(7)
    #expect(lattice.shape == [49, 5])
    // What is left of each place beyond the two directions is the noise of the estimate alone.
    let offset = lattice - codes.mean([0])
    let along = offset.matmul(first.unsqueezed(1)) * first
    let across = offset.matmul(second.unsqueezed(1)) * second
    #expect((offset - along - across).abs().max().item() < 0.02)
    // 96 % of a normal spread: ± 2.05 deviations.
    #expect(abs(offset.matmul(first.unsqueezed(1)).max().item() - 6.16) < 0.4)
  }

  @Test func codesOfTwoNumbersAreTheirOwnMap() {
    let codes = Tensor.randn([50, 2], using: Generator(seed: 1))
    let map = LatentMap(of: codes)
    #expect((map.points - codes).abs().max().item() == 0)
    #expect(abs(map.explainedVariance.reduce(0, +) - 1) < 1e-6)
  }
}
