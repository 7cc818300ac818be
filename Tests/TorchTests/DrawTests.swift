import TestSupport
import Testing
import Torch

@Suite struct DrawTests {
  /// Normals on x86-64 are those of the machine that drew the golden ones, to the bit. Elsewhere
  /// libtorch takes logarithms and cosines with other vector instructions.
  #if arch(x86_64)
    static let normalTolerance = 0.0
  #else
    static let normalTolerance = 1e-5
  #endif

  static let normals: [GoldenCase] =
    [DType.float32, .float64, .float16, .bfloat16].flatMap { dtype in
      [5, 16, 35].map { count in
        .none("randn.\(dtype).\(count)", rtol: normalTolerance, atol: normalTolerance) {
          .randn([count], dtype: dtype, using: Generator(seed: UInt64(count)))
        }
      }
    } + [
      .none("randn.shape", rtol: normalTolerance, atol: normalTolerance) {
        .randn([2, 4, 8], using: Generator(seed: (1 << 63) + 5))
      },
      .none("fill_normal", rtol: normalTolerance, atol: normalTolerance) {
        let tensor = Tensor.empty([4, 5])
        tensor.fillNormal(mean: 1.5, deviation: 0.2, using: Generator(seed: 10))
        return tensor
      },
      .none("fill_normal.default", rtol: normalTolerance, atol: normalTolerance) {
        let tensor = Tensor.empty([7])
        tensor.fillNormal(using: Generator(seed: 11))
        return tensor
      },
      .none("continued", rtol: normalTolerance, atol: normalTolerance) {
        .randn([9], using: advanced())
      },
    ]

  static let others: [GoldenCase] =
    [DType.float32, .float64, .float16, .bfloat16].map { dtype in
      .none("rand.\(dtype)") { .rand([3, 7], dtype: dtype, using: Generator(seed: 2)) }
    } + [
      .none("randint") { .randint(-3..<9, [4, 6], using: Generator(seed: 3)) },
      .none("randint.float32") {
        .randint(0..<5, [7], dtype: .float32, using: Generator(seed: 4))
      },
      .none("randperm") { .randperm(33, using: Generator(seed: 5)) },
      .one("bernoulli", "chances", rtol: 0, atol: 0) { $0.bernoulli(using: Generator(seed: 6)) },
      .one("multinomial.replacement", "chances") {
        $0.multinomial(9, replacement: true, using: Generator(seed: 8))
      },
      .none("fill_uniform") {
        let tensor = Tensor.empty([3, 6])
        tensor.fillUniform(-2, 3, using: Generator(seed: 9))
        return tensor
      },
      .none("state") { advanced().state },
    ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/draws") }

  @Test(arguments: normals + others)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.normals + Self.others, fixture)
  }

  /// libtorch draws these with MKL, which it has on x86-64 only; elsewhere they are other draws
  /// from the same distributions.
  @Test func drawsFromMKLEqualPyTorch() throws {
    let picks = try fixture["chances"].multinomial(3, using: Generator(seed: 7))
    let flips = Tensor.empty([6, 7])
    flips.fillBernoulli(0.3, using: Generator(seed: 13))
    #if arch(x86_64)
      expectEqual(picks, try fixture["mkl.multinomial"])
      expectEqual(flips, try fixture["mkl.fill_bernoulli"])
    #endif
    let rows = stride(from: 0, to: 12, by: 3).map { picks.elements(as: Int.self)[$0..<$0 + 3] }
    #expect(rows.allSatisfy { Set($0).count == 3 && $0.allSatisfy((0..<5).contains) })
    #expect(Set(flips.elements(as: Float.self)) == [0, 1])
  }

  @Test func continuesFromAStateThatPyTorchSaved() throws {
    let generator = Generator(seed: 0)
    generator.state = try fixture["state.out0"]
    let drawn = Tensor.randn([9], using: generator)
    expectClose(
      drawn, try fixture["continued.out0"], rtol: Self.normalTolerance,
      atol: Self.normalTolerance)
  }

  @Test func stateGoesRound() {
    let generator = Generator(seed: 77)
    _ = Tensor.randn([3], using: generator)  // leaves a normal in the cache
    let state = generator.state
    #expect(state.dtype == .uint8 && state.shape == [5056])
    let first = Tensor.randn([21], using: generator)
    let second = Tensor.randn([21], using: generator)
    #expect(first.elements(as: Float.self) != second.elements(as: Float.self))
    generator.state = state
    expectEqual(.randn([21], using: generator), first)
    expectEqual(.randn([21], using: generator), second)
  }

  @Test func reseedingStartsAgain() {
    let generator = Generator(seed: 5)
    #expect(generator.initialSeed == 5)
    _ = Tensor.randn([3], using: generator)
    generator.reseed(.max)
    #expect(generator.initialSeed == .max)
    expectEqual(.randn([40], using: generator), .randn([40], using: Generator(seed: .max)))
  }
}

/// The generator behind the golden "state": seed 12, seven normals and three whole numbers on.
private func advanced() -> Generator {
  let generator = Generator(seed: 12)
  _ = Tensor.randn([7], using: generator)
  _ = Tensor.randint(0..<100, [3], using: generator)
  return generator
}
