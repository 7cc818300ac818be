import TestSupport
import Testing
import Torch

/// Batch normalisation and rectifier in one kernel against PyTorch's two operations.
@Suite struct FusedNormTests {
  /// What one pass leaves: output, gradients of input, factors and offsets, running statistics, and
  /// the gradients of the gradient's own norm.
  private func pass(
    _ shape: [Int], slope: Double, isFused: Bool, isTraining: Bool = true
  ) -> [(name: String, value: Tensor)] {
    let random = Generator(seed: 3)
    // Means far from 0, as deep networks have them.
    let x = (Tensor.randn(shape, using: random) * 3 + 7).contiguous(.channelsLast)
    let weight = Tensor.randn([shape[1]], using: random)
    let bias = Tensor.randn([shape[1]], using: random)
    let (mean, variance) = (Tensor.full([shape[1]], 0.5), Tensor.full([shape[1]], 2.0))
    let seed = Tensor.randn(shape, using: random)
    for tensor in [x, weight, bias] { tensor.requiresGradient = true }
    let y =
      isFused
      ? x.batchNormLeakyReLU(
        weight: weight, bias: bias, runningMean: mean, runningVariance: variance,
        training: isTraining, slope: slope)
      : x.batchNorm(
        weight: weight, bias: bias, runningMean: mean, runningVariance: variance,
        training: isTraining
      ).leakyReLU(slope: slope)
    return outputAndGradients(of: y, seed: seed, x: x, weight: weight, bias: bias)
      + [("mean", mean), ("variance", variance)]
  }

  @Test(arguments: [[6, 19, 5, 7], [64, 32, 14, 14], [3, 2, 1, 1]], [0.2, 0])
  func equalsTheTwoOperations(_ shape: [Int], _ slope: Double) {
    let plain = pass(shape, slope: slope, isFused: false)
    for (mine, its) in zip(pass(shape, slope: slope, isFused: true), plain) {
      // Float32 sums over thousands of places in another order: 1e-5 of the largest.
      let scale: Double = its.value.abs().max().item()
      expectClose(mine.value, its.value, rtol: 1e-5, atol: 1e-5 * max(scale, 1), its.name)
    }
  }

  /// Outside of training it is the two operations themselves.
  @Test func usesRunningStatistics() {
    let plain = pass([4, 8, 3, 3], slope: 0.2, isFused: false, isTraining: false)
    for (mine, its) in zip(
      pass([4, 8, 3, 3], slope: 0.2, isFused: true, isTraining: false), plain)
    {
      expectClose(mine.value, its.value, rtol: 0, atol: 0, its.name)
    }
  }

  /// The sums are added in the same order every time.
  @Test func repeatsItself() {
    let (once, again) = (
      pass([64, 32, 14, 14], slope: 0.2, isFused: true),
      pass([64, 32, 14, 14], slope: 0.2, isFused: true)
    )
    for (one, other) in zip(once, again).prefix(6) {
      #expect(one.value.elements(as: Float.self) == other.value.elements(as: Float.self))
    }
  }
}
