import TestSupport
import Testing
import Torch

/// Fully connected layers as one operation against the layers one by one in double precision.
@Suite struct PerceptronTests {
  /// Output, all gradients, and the gradients of the gradient's own norm.
  private func pass(
    rows: Int, widths: [Int], _ dtype: DType = .float32
  ) -> [(name: String, value: Tensor)] {
    let random = Generator(seed: 4)
    func leaf(_ shape: [Int], _ factor: Double = 1) -> Tensor {
      let leaf = (factor * Tensor.randn(shape, using: random)).to(dtype)
      leaf.requiresGradient = true
      return leaf
    }
    let x = leaf([rows, widths[0]])
    let layers = zip(widths, widths.dropFirst()).map {
      (weight: leaf([$1, $0], 1 / Double($0).squareRoot()), bias: leaf([$1], 0.3))
    }
    // In double precision it is PyTorch's operations.
    let y = x.perceptron(layers)
    let seed = Tensor.randn(y.shape, using: random).to(dtype)
    let ends = [x] + layers.map(\.weight) + layers.map(\.bias)
    let first = (y * seed).sum().gradients(withRespectTo: ends, retainingGraph: true)
    let once = (y.square() * seed).sum().gradients(withRespectTo: [x], creatingGraph: true)
    let second = once[0]!.square().sum().gradients(withRespectTo: [layers[0].weight])
    return [("output", y.detached())]
      + first.enumerated().map { ("gradient \($0)", $1!) } + [("second", second[0]!)]
  }

  /// One layer and many, one row and more than a block of them, whole vectors of columns and cut ones.
  @Test(arguments: [
    (128, [784, 400, 40]), (128, [20, 400, 784]), (1, [3, 5]), (200, [17, 33, 1, 50]),
    (70, [64, 48]),
  ]) func equalsTheLayers(rows: Int, widths: [Int]) {
    let exact = pass(rows: rows, widths: widths, .float64)
    for (mine, its) in zip(pass(rows: rows, widths: widths), exact) {
      let scale: Double = its.value.abs().max().item()
      expectClose(
        mine.value, its.value.to(.float32), rtol: 1e-5, atol: 1e-5 * max(scale, 1), mine.name)
    }
  }

  /// On the matrix unit where there is one: errors of a 50,000th of the output at most.
  @Test func byHalves() {
    let mine = Precision.bf16x3 { pass(rows: 128, widths: [784, 400, 40]) }
    for (mine, its) in zip(mine, pass(rows: 128, widths: [784, 400, 40], .float64)) {
      let error: Double = (mine.value.to(.float64) - its.value).square().mean().item()
      let power: Double = its.value.square().mean().item()
      // A sum at its rectifier's corner may fall to the other side of it.
      #expect((error / power).squareRoot() < (mine.name == "output" ? 2e-5 : 2e-3), "\(mine.name)")
    }
  }

  /// Frozen layers and a plain input have no gradients; those of the others are the same.
  @Test(arguments: [[true, false, true], [false, true, true], [false, false, true]])
  func frozenEndsGetNone(_ trained: [Bool]) {
    let random = Generator(seed: 5)
    let ends = [[6, 30], [20, 30], [10, 20]].map { Tensor.randn($0, using: random) }
    let biases = [20, 10].map { Tensor.randn([$0], using: random) }
    func gradients(frozen: Bool) -> [Tensor?] {
      for (end, isTrained) in zip(ends, trained) { end.requiresGradient = isTrained || !frozen }
      let y = ends[0].perceptron([(ends[1], biases[0]), (ends[2], biases[1])])
      return y.square().sum().gradients(withRespectTo: ends.filter(\.requiresGradient))
    }
    let all = gradients(frozen: false)
    let some = gradients(frozen: true)
    for (mine, its) in zip(some, zip(all, trained).filter(\.1).map(\.0)) {
      expectClose(mine!, its!, rtol: 0, atol: 0)
    }
  }

  @Test func notANumberStaysInItsRow() {
    let x = Tensor.randn([4, 16], using: Generator(seed: 1))
    x[1].fill(Double.nan)
    let layers = [(Tensor.ones([24, 16]), Tensor.zeros([24])), (.ones([3, 24]), .zeros([3]))]
    let sums = x.perceptron(layers).sum([1]).elements(as: Float.self)
    #expect(sums.map(\.isNaN) == [false, true, false, false])
  }

  @Test func repeatsItself() {
    let (once, again) = (
      pass(rows: 128, widths: [784, 400, 40]), pass(rows: 128, widths: [784, 400, 40])
    )
    for (one, other) in zip(once, again) {
      #expect(one.value.elements(as: Float.self) == other.value.elements(as: Float.self))
    }
  }
}

/// A draw of a normal distribution and its distance from N(0, 1) in one pass.
@Suite struct GaussianDrawTests {
  /// Both values, the moments' gradients by both, by each alone, and those of the gradient's norm.
  private func pass(_ shape: [Int], _ dtype: DType) -> [(name: String, value: Tensor)] {
    let random = Generator(seed: 6)
    let moments = (2 * Tensor.randn([shape[0], 2 * shape[1]], using: random)).to(dtype)
    let noise = Tensor.randn(shape, using: random).to(dtype)
    let seeds = (
      Tensor.randn(shape, using: random).to(dtype),
      Tensor.randn([shape[1]], using: random).to(dtype)
    )
    moments.requiresGradient = true
    let (z, kl) = moments.gaussianDraw(noise: noise)
    let (one, other) = ((z * seeds.0).sum(), (kl * seeds.1).sum())
    func gradient(_ y: Tensor) -> Tensor {
      y.gradients(withRespectTo: [moments], retainingGraph: true)[0]!
    }
    let twice = (z.square().sum() + kl.square().sum()).gradients(
      withRespectTo: [moments], creatingGraph: true)[0]!
    return [
      ("z", z.detached()), ("kl", kl.detached()), ("both", gradient(one + other)),
      ("by z", gradient(one)), ("by kl", gradient(other)),
      ("twice", gradient(twice.square().sum())),
    ]
  }

  @Test(arguments: [[128, 20], [1, 1], [3, 37]]) func equalsTheOperations(_ shape: [Int]) {
    for (mine, its) in zip(pass(shape, .float32), pass(shape, .float64)) {
      let scale: Double = its.value.abs().max().item()
      expectClose(
        mine.value, its.value.to(.float32), rtol: 1e-5, atol: 1e-5 * max(scale, 1), mine.name)
    }
  }
}
