import TestSupport
import Testing
import Torch

/// Group normalisation and SiLU in one kernel against PyTorch's two operations in double precision.
@Suite struct FusedGroupNormTests {
  /// Output, gradients of input, what is added, factors and offsets, and the gradients of the
  /// gradient's own norm.
  private func pass(
    _ shape: [Int], groups: Int, isFused: Bool, format: MemoryFormat = .channelsLast,
    adding: Bool = true, silu: Bool = true, _ dtype: DType = .float32
  ) -> [(name: String, value: Tensor)] {
    let random = Generator(seed: 3)
    // Means far from 0, as deep networks have them.
    let x = (Tensor.randn(shape, using: random) * 3 + 7).to(dtype).contiguous(format)
    let weight = (2 * Tensor.randn([shape[1]], using: random)).to(dtype)
    let bias = (5 * Tensor.randn([shape[1]], using: random)).to(dtype)
    let added = (4 * Tensor.randn([shape[0], shape[1], 1, 1], using: random)).to(dtype)
    let seed = Tensor.randn(shape, using: random).to(dtype)
    for tensor in [x, added, weight, bias] { tensor.requiresGradient = true }
    let y: Tensor
    if isFused, silu {
      y = x.groupNormSiLU(adding: adding ? added : nil, groups: groups, weight: weight, bias: bias)
    } else {
      let normal = (adding ? x + added : x).groupNorm(groups: groups, weight: weight, bias: bias)
      y = silu ? normal.silu() : normal
    }
    let first = (y * seed).sum().gradients(
      withRespectTo: [x, weight, bias] + (adding ? [added] : []), retainingGraph: true)
    let twice = (y.square() * seed).sum().gradients(withRespectTo: [x], creatingGraph: true)
    let second = twice[0]!.square().sum().gradients(withRespectTo: [x, weight])
    return [
      ("output", y.detached()), ("dx", first[0]!), ("dweight", first[1]!), ("dbias", first[2]!),
      ("d²x", second[0]!), ("d²weight", second[1]!),
    ] + first.dropFirst(3).map { ("dadded", $0!) }
  }

  private static let networks = [
    ([6, 12, 5, 7], 3), ([16, 64, 16, 16], 8), ([1, 96, 9, 9], 32), ([1, 6, 3, 1], 1),
    ([3, 7, 2, 2], 7),
  ]

  @Test(arguments: networks, [false, true])
  func equalsTheTwoOperations(_ network: (shape: [Int], groups: Int), _ adding: Bool) {
    let (shape, groups) = network
    // In double precision: sums over thousands of places.
    let exact = pass(shape, groups: groups, isFused: false, adding: adding, .float64)
    for (mine, its) in zip(pass(shape, groups: groups, isFused: true, adding: adding), exact) {
      let scale: Double = its.value.abs().max().item()
      // Gradients of gradients are PyTorch's own, in single precision.
      let error = its.name.contains("²") ? 1e-4 : 1e-5
      expectClose(
        mine.value, its.value.to(.float32), rtol: error, atol: error * max(scale, 1), its.name)
    }
  }

  /// Without SiLU, `groupNorm` has the same kernel.
  @Test(arguments: networks)
  func equalsTheNormalisationAlone(_ network: (shape: [Int], groups: Int)) {
    func pass(_ dtype: DType) -> [(name: String, value: Tensor)] {
      self.pass(
        network.shape, groups: network.groups, isFused: true, adding: false, silu: false, dtype)
    }
    for (mine, its) in zip(pass(.float32), pass(.float64)) {
      let scale: Double = its.value.abs().max().item()
      let error = its.name.contains("²") ? 1e-4 : 1e-5
      expectClose(
        mine.value, its.value.to(.float32), rtol: error, atol: error * max(scale, 1), its.name)
    }
  }

  /// bfloat16 pictures beside float32 factors: sums and functions in float32, so that only the
  /// results are rounded, and what is kept of the gradient on its way.
  @Test(arguments: networks, [false, true])
  func halfPrecisionIsRoundedOnce(_ network: (shape: [Int], groups: Int), _ adding: Bool) {
    let (shape, groups) = network
    let random = Generator(seed: 9)
    let half = (Tensor.randn(shape, using: random) * 3 + 1).to(.bfloat16).contiguous(.channelsLast)
    let added =
      adding ? Tensor.randn([shape[0], shape[1], 1, 1], using: random).to(.bfloat16) : nil
    let weight = 2 * Tensor.randn([shape[1]], using: random)
    let bias = Tensor.randn([shape[1]], using: random)
    let seed = Tensor.randn(shape, using: random).to(.bfloat16)
    func pass(_ x: Tensor, _ dtype: DType) -> [Tensor] {
      let leaves = [x, added, weight, bias].compactMap {
        $0?.to(dtype == .float64 ? dtype : $0!.dtype).detached()
      }
      for leaf in leaves { leaf.requiresGradient = true }
      let more = adding ? leaves[1] : nil
      let y =
        dtype == .bfloat16
        ? leaves[0].groupNormSiLU(
          adding: more, groups: groups, weight: leaves[leaves.count - 2], bias: leaves.last!)
        : (more.map { leaves[0] + $0 } ?? leaves[0]).groupNorm(
          groups: groups, weight: leaves[leaves.count - 2], bias: leaves.last!
        ).silu()
      #expect(y.dtype == dtype)
      return [y.detached()]
        + (y * seed.to(dtype)).sum().gradients(withRespectTo: leaves).map { $0! }
    }
    let names = ["output", "dx"] + (adding ? ["dadded"] : []) + ["dweight", "dbias"]
    for ((mine, exact), name) in zip(zip(pass(half, .bfloat16), pass(half, .float64)), names) {
      let scale: Double = exact.abs().max().item()
      // 2⁻⁹ of rounding to bfloat16, twice on the way of dx; sums add up what is rounded.
      expectClose(
        mine.to(.float64), exact, rtol: 1.0 / 256, atol: 1.0 / 256 * max(scale, 1), name)
    }
  }

  /// SiLU far from 0: neither overflow nor NaN, and x itself or 0.
  @Test func farFromZero() {
    let x = Tensor([-4e3, -120, -88, -20, -1, 0, 1, 20, 88, 4e3] as [Float])
    // With one place for each channel and group the normal value is 0, and the offset alone is left.
    let pictures = Tensor.zeros([2, 10, 1, 1]).contiguous(.channelsLast)
    let y = pictures.groupNormSiLU(groups: 10, weight: .ones([10]), bias: x)
    expectClose(y[0].reshaped([10]), x.silu(), rtol: 1e-6, atol: 1e-30)
  }

  /// The same in bfloat16, whose functions are other ones; what is no number stays none.
  @Test func farFromZeroInHalfPrecision() {
    let x = Tensor([-4e3, -120, -88, -20, -1, 0, 1, 20, 88, 4e3, .infinity, .nan] as [Float])
    let pictures = Tensor.zeros([2, 12, 1, 1], dtype: .bfloat16).contiguous(.channelsLast)
    let y = pictures.groupNormSiLU(groups: 12, weight: .ones([12]), bias: x)
    expectClose(y[0].reshaped([12]).to(.float32), x.silu(), rtol: 1.0 / 256, atol: 1e-30)
    let mixed = Tensor([1, 2, .nan, 4] as [Float]).to(.bfloat16).reshaped([1, 2, 1, 2])
    let none = mixed.contiguous(.channelsLast)
      .groupNormSiLU(groups: 2, weight: .ones([2]), bias: .zeros([2]))
    #expect(none.elements(as: Float.self).map(\.isNaN) == [false, false, true, true])
  }

  /// Deviations far below the mean, and none at all: the statistics of bfloat16 come in one pass.
  @Test(arguments: [(300, 0.5), (300, 4), (1.5, 0)])
  func smallDeviationsInHalfPrecision(_ mean: Double, _ deviation: Double) {
    let shape = [2, 32, 12, 12]
    let drawn = Tensor.randn(shape, using: Generator(seed: 4)) * deviation + mean
    let x = drawn.to(.bfloat16).contiguous(.channelsLast)
    let (weight, bias) = (Tensor.ones([32]), Tensor.full([32], 0.25))
    let y = x.groupNorm(groups: 8, weight: weight, bias: bias)
    let exact = x.to(.float64).groupNorm(
      groups: 8, weight: weight.to(.float64), bias: bias.to(.float64))
    expectClose(y.to(.float64), exact, rtol: 1.0 / 256, atol: 1e-4)
  }

  /// Any other layout goes to PyTorch's operations.
  @Test func otherLayoutsAreTheTwoOperations() {
    let plain = pass([2, 8, 3, 3], groups: 4, isFused: false, format: .contiguous)
    let fused = pass([2, 8, 3, 3], groups: 4, isFused: true, format: .contiguous)
    for (mine, its) in zip(fused, plain) {
      expectClose(mine.value, its.value, rtol: 0, atol: 0, its.name)
    }
  }

  @Test func repeatsItself() {
    let (once, again) = (
      pass([16, 64, 16, 16], groups: 8, isFused: true),
      pass([16, 64, 16, 16], groups: 8, isFused: true)
    )
    for (one, other) in zip(once, again).prefix(4) {
      #expect(one.value.elements(as: Float.self) == other.value.elements(as: Float.self))
    }
  }
}
