import TestSupport
import Testing
import Torch

@Suite struct ManyTensorTests {
  static let lists: [GoldenCase] = [
    .many("norm", "p0 p1") { [$0.totalNorm()] },
    .many("norm.1", "p0 p1") { [$0.totalNorm(p: 1)] },
    .many("norm.inf", "p0 p1") { [$0.totalNorm(p: .infinity)] },
    .many("multiplied", "p0 p1") {
      $0.multiplyAll(by: Tensor(0.3))
      return $0
    },
    .many("moved", "p0 p1 e0 e1") {
      let moving = Array($0[..<2])
      moving.lerpAll(towards: Array($0[2...]), 0.2)
      return moving
    },
  ]

  static let optimizers: [GoldenCase] = [
    .many("adam", "p0 p1 g0 g1") {
      adam($0, betas: (0.9, 0.999), eps: 1e-8, weightDecay: 0, decoupled: false)
    },
    .many("adam.decay", "p0 p1 g0 g1") {
      adam($0, betas: (0.5, 0.9), eps: 1e-3, weightDecay: 0.2, decoupled: false)
    },
    .many("adamw", "p0 p1 g0 g1") {
      adam($0, betas: (0.8, 0.95), eps: 1e-6, weightDecay: 0.2, decoupled: true)
    },
    .many("sgd", "p0 p1 g0 g1") { sgd($0) },
    .many("sgd.momentum", "p0 p1 g0 g1") {
      sgd($0, momentum: 0.9, weightDecay: 0.2, dampening: 0.3)
    },
    .many("sgd.nesterov", "p0 p1 g0 g1") {
      sgd($0, momentum: 0.9, weightDecay: 0.1, nesterov: true)
    },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/many_tensors") }

  @Test(arguments: lists + optimizers)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.lists + Self.optimizers, fixture)
  }
}

extension ManyTensorTests {
  /// What many numbers go through on all threads, in single precision, against PyTorch's own step in
  /// double precision; tails, several parameters, and gradients that lie otherwise.
  @Test(arguments: [true, false], [[20_011], [16, 7, 40_000], [130, 70]])
  func largeStepsEqualPyTorch(_ decoupled: Bool, _ sizes: [Int]) {
    let random = Generator(seed: 3)
    func draws() -> [Tensor] { sizes.map { .randn([2, $0], using: random) } }
    let (starts, averages) = (draws(), draws())
    let gradients = (0..<3).map { _ in draws() }
    func run(_ dtype: DType, turned: Bool) -> [Tensor] {
      func copies(_ tensors: [Tensor]) -> [Tensor] { tensors.map { $0.to(dtype).clone() } }
      let (p, a) = (copies(starts), copies(averages))
      let (m, v) = (p.map { Tensor.zeros(like: $0) }, p.map { Tensor.zeros(like: $0) })
      let steps = p.map { _ in Tensor(0) }
      for gradients in gradients {
        steps.addAll(1)
        let g = copies(gradients).map {
          turned ? $0.transposed().contiguous().transposed() : $0
        }
        FusedStep.adam(
          parameters: p, gradients: g, means: m, squares: v, steps: steps, rate: 0.01,
          betas: (0.8, 0.95), weightDecay: 0.01, eps: 1e-6, decoupled: decoupled, factor: 0.7,
          averages: a, averageShare: 0.2)
      }
      return p + m + v + a
    }
    let expected = run(.float64, turned: false)
    for turned in [false, true] {
      for (found, wanted) in zip(run(.float32, turned: turned), expected) {
        expectClose(found, wanted.to(.float32), rtol: 2e-6, atol: 2e-7, "\(turned)")
      }
    }
  }

  /// Moments of weights that stand still go to zero instead of through numbers that a processor is
  /// slow with; such numbers count again after the step.
  @Test func tinyMomentsBecomeZero() {
    let count = 40_000
    func all(_ value: Double) -> Tensor { Tensor(value).expanded([count]).contiguous() }
    let (p, m, v, g) = (all(1), all(3e-39), all(2e-40), all(0))
    FusedStep.adam(
      parameters: [p], gradients: [g], means: [m], squares: [v], steps: [Tensor(3)], rate: 0.01,
      betas: (0.9, 0.999), weightDecay: 0, eps: 1e-8, decoupled: false)
    #expect(m.elements(as: Float.self) == [Float](repeating: 0, count: count))
    #expect(v.elements(as: Float.self) == [Float](repeating: 0, count: count))
    #expect(p.elements(as: Float.self) == [Float](repeating: 1, count: count))
    #expect((all(3e-39) / 2).elements(as: Float.self)[0] == Float(3e-39) / 2)
  }

  @Test func theNormOfManyNumbersIsExact() {
    let random = Generator(seed: 4)
    let tensors = [[100_003], [3], [64, 129]].map { Tensor.randn($0, using: random) }
    let exact = tensors.map { $0.to(.float64).square().sum().item() }.reduce(0, +).squareRoot()
    #expect(abs(tensors.totalNorm().item() / exact - 1) < 1e-7)
  }
}

/// Two parameters after each of five steps; `x` holds them and, a step a slice, their gradients.
private func fiveSteps(
  _ x: [Tensor], _ step: (_ parameters: [Tensor], _ gradients: [Tensor], _ index: Int) -> Void
) -> [Tensor] {
  let parameters = [x[0].clone(), x[1].clone()]
  return (0..<5).flatMap { index in
    step(parameters, [x[2][index], x[3][index]], index)
    return parameters.map { $0.clone() }
  }
}

private func adam(
  _ x: [Tensor], betas: (Double, Double), eps: Double, weightDecay: Double, decoupled: Bool
) -> [Tensor] {
  let means = x[..<2].map { Tensor.zeros(like: $0) }
  let squares = x[..<2].map { Tensor.zeros(like: $0) }
  let counts = [Tensor(0), Tensor(0)]
  return fiveSteps(x) { parameters, gradients, _ in
    for count in counts { count.add(1) }
    FusedStep.adam(
      parameters: parameters, gradients: gradients, means: means, squares: squares,
      steps: counts, rate: 0.1, betas: betas, weightDecay: weightDecay, eps: eps,
      decoupled: decoupled)
  }
}

private func sgd(
  _ x: [Tensor], momentum: Double = 0, weightDecay: Double = 0, dampening: Double = 0,
  nesterov: Bool = false
) -> [Tensor] {
  let momenta = momentum == 0 ? [] : x[..<2].map { Tensor.zeros(like: $0) }
  return fiveSteps(x) { parameters, gradients, index in
    FusedStep.sgd(
      parameters: parameters, gradients: gradients, momenta: momenta, rate: 0.1,
      momentum: momentum, weightDecay: weightDecay, dampening: dampening, nesterov: nesterov,
      isFirst: index == 0)
  }
}
