import Foundation
import TestSupport
import Testing
import Torch

/// 3×3 convolutions by Winograd's minimal filtering against the sum in double precision.
@Suite struct WinogradTests {
  struct Shape: CustomTestStringConvertible {
    let count, inputs, outputs, height, width: Int
    var testDescription: String { "\(count)×\(inputs)→\(outputs)×\(height)×\(width)" }
    init(_ count: Int, _ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int) {
      (self.count, self.inputs, self.outputs) = (count, inputs, outputs)
      (self.height, self.width) = (height, width)
    }
  }

  /// Whole tiles, cut tiles, sides that differ, one pixel; few channels and many.
  static let shapes = [
    Shape(8, 32, 64, 16, 16), Shape(40, 64, 32, 7, 7), Shape(12, 32, 32, 13, 18),
    Shape(130, 32, 96, 1, 3), Shape(33, 160, 128, 5, 6),
    // Three rows and columns at the edges, of more tiles than a thread takes at a time.
    Shape(50, 256, 128, 7, 11),
    // Few tiles, for weights that are few too.
    Shape(13, 32, 64, 5, 8),
  ]

  private struct Pass {
    let x, weight, bias, seed: Tensor

    init(_ shape: Shape) {
      let random = Generator(seed: 5)
      x = Tensor.randn([shape.count, shape.inputs, shape.height, shape.width], using: random)
        .contiguous(.channelsLast)
      weight = Tensor.randn([shape.outputs, shape.inputs, 3, 3], using: random) / 10
      bias = Tensor.randn([shape.outputs], using: random)
      seed = Tensor.randn(
        [shape.count, shape.outputs, shape.height, shape.width], using: random)
    }

    /// Output and gradients, and those of the gradient's own norm, in a number type.
    func run(_ type: DType, format: MemoryFormat) -> [(name: String, value: Tensor)] {
      let (x, weight, bias) = (
        self.x.to(type).contiguous(format).detached(), self.weight.to(type), self.bias.to(type)
      )
      for tensor in [x, weight, bias] { tensor.requiresGradient = true }
      let y = x.conv2d(weight: weight, bias: bias, padding: 1)
      return outputAndGradients(of: y, seed: seed.to(type), x: x, weight: weight, bias: bias)
    }
  }

  @Test(arguments: shapes) func equalsTheSum(_ shape: Shape) { Self.check(shape) }

  /// The kernels of processors without AVX-512, in a process that is told to do without.
  @Test func narrowVectorsEqualTheSum() async {
    await #expect(processExitsWith: .success) {
      setenv("ATEN_CPU_CAPABILITY", "avx2", 1)
      for shape in WinogradTests.shapes {
        WinogradTests.check(shape)
        WinogradTests.checkHalves(shape)
      }
      WinogradTests.checkWeights()
    }
  }

  /// These kernels are what runs: libtorch's own sum has other bits.
  @Test(arguments: [0, 5]) func isTaken(place: Int) {
    let pass = Pass(Self.shapes[place])
    let mine = pass.run(.float32, format: .channelsLast)
    let its = pass.run(.float32, format: .contiguous)
    for index in [0, 1, 2] {
      let (a, b) = (mine[index].value, its[index].value)
      #expect(a.elements(as: Float.self) != b.elements(as: Float.self))
    }
  }

  static func check(_ shape: Shape) {
    let pass = Pass(shape)
    let exact = pass.run(.float64, format: .contiguous)
    for (mine, its) in zip(pass.run(.float32, format: .channelsLast), exact) {
      #expect(mine.value.shape == its.value.shape)
      // Of the elements' own size; PyTorch's own float32 sums reach half of this.
      let power: Double = its.value.square().mean().item()
      let size = power.squareRoot()
      expectClose(mine.value.to(.float64), its.value, rtol: 0, atol: 5e-5 * size, mine.name)
    }
  }

  /// What is added in the same pass gives the sum's bits, in any layout, and gets its gradient; what is
  /// of another shape is spread over the output as by `+`.
  @Test(arguments: shapes) func addsInTheSamePass(_ shape: Shape) {
    let pass = Pass(shape)
    let one = Tensor.randn([1, shape.outputs, 1, 1], using: Generator(seed: 6))
    for more in [pass.seed, pass.seed.contiguous(.channelsLast), one] {
      func run(_ sum: (Tensor) -> Tensor) -> [Tensor] {
        let end = more.detached()
        end.requiresGradient = true
        let y = sum(end)
        return [y.detached()] + y.square().sum().gradients(withRespectTo: [end]).map { $0! }
      }
      let (x, weight, bias) = (pass.x, pass.weight, pass.bias)
      let fused = run { x.conv2d(weight: weight, bias: bias, padding: 1, adding: $0) }
      let plain = run { x.conv2d(weight: weight, bias: bias, padding: 1) + $0 }
      for (mine, its) in zip(fused, plain) { expectEqual(mine, its) }
    }
  }

  /// The weights' and the input's gradients are those of the sum too.
  @Test func gradientsPassTheSum() {
    let pass = Pass(Self.shapes[1])
    func run(_ sum: ([Tensor]) -> Tensor) -> [(name: String, value: Tensor)] {
      let ends = [pass.x, pass.weight, pass.bias, pass.seed].map { $0.detached() }
      for end in ends { end.requiresGradient = true }
      let all = outputAndGradients(
        of: sum(ends), seed: pass.seed, x: ends[0], weight: ends[1], bias: ends[2])
      let last = sum(ends).square().sum().gradients(withRespectTo: [ends[3]])
      return all + [("dadded", last[0]!)]
    }
    let fused = run { $0[0].conv2d(weight: $0[1], bias: $0[2], padding: 1, adding: $0[3]) }
    let plain = run { $0[0].conv2d(weight: $0[1], bias: $0[2], padding: 1) + $0[3] }
    for (mine, its) in zip(fused, plain) { expectEqual(mine.value, its.value, mine.name) }
  }

  /// The same bits every time, whatever the threads do.
  @Test func repeatsItself() {
    let pass = Pass(Self.shapes[1])
    let (once, again) = (
      pass.run(.float32, format: .channelsLast), pass.run(.float32, format: .channelsLast)
    )
    for (one, other) in zip(once, again) {
      #expect(one.value.elements(as: Float.self) == other.value.elements(as: Float.self))
    }
  }

  /// Frozen weights cost no gradient, and a frozen input none either.
  @Test func frozenEndsGetNone() {
    let pass = Pass(Self.shapes[0])
    let weight = pass.weight.detached()
    weight.requiresGradient = true
    pass.x.conv2d(weight: weight, bias: nil, padding: 1).sum().backward()
    #expect(weight.gradient != nil && pass.x.gradient == nil)
    let x = pass.x.detached()
    x.requiresGradient = true
    x.conv2d(weight: pass.weight, bias: pass.bias, padding: 1).sum().backward()
    #expect(x.gradient != nil && pass.weight.gradient == nil && pass.bias.gradient == nil)
  }

  // MARK: - bfloat16

  /// Pictures, weights and what is added in bfloat16 against the same numbers' sum in double precision:
  /// results and gradients are as far off as their own rounding, and gradients of gradients.
  @Test(arguments: shapes) func halvesEqualTheSum(_ shape: Shape) { Self.checkHalves(shape) }

  static func checkHalves(_ shape: Shape) {
    let pass = Pass(shape)
    func run(_ type: DType) -> [(name: String, value: Tensor)] {
      let ends = [pass.x, pass.weight, pass.bias, pass.seed].map {
        let number = $0.to(.bfloat16).to(type)
        let isPictures = number.rank == 4 && type == .bfloat16
        return (isPictures ? number.contiguous(.channelsLast) : number).detached()
      }
      for end in ends { end.requiresGradient = true }
      let y = ends[0].conv2d(weight: ends[1], bias: ends[2], padding: 1, adding: ends[3])
      let seed = pass.seed.to(.bfloat16).to(type)
      let first = (y * seed).sum().gradients(
        withRespectTo: ends, retainingGraph: true, creatingGraph: true
      ).map { $0! }
      let second = first[0].square().sum().gradients(withRespectTo: [ends[1]]).map { $0! }
      return zip(
        ["output", "dx", "dw", "db", "dadded", "d²w"], [y.detached()] + first + second
      ).map { (name: $0, value: $1.detached()) }
    }
    for (mine, its) in zip(run(.bfloat16), run(.float64)) {
      #expect(mine.value.dtype == .bfloat16)
      let power: Double = its.value.square().mean().item()
      // The second gradient is made of first ones that were rounded.
      let share = mine.name == "d²w" ? 2e-2 : 5e-3
      expectClose(
        mine.value.to(.float64), its.value, rtol: 1.0 / 200, atol: share * power.squareRoot(),
        mine.name)
    }
  }

  /// In the training's bfloat16 the results are bfloat16, and weights and their gradients stay in
  /// float32.
  @Test func weightsStayInFullPrecision() { Self.checkWeights() }

  static func checkWeights() {
    let pass = Pass(Self.shapes[1])
    let ends = [pass.x, pass.weight, pass.bias].map { $0.detached() }
    for end in ends { end.requiresGradient = true }
    let y = Precision.bf16 { ends[0].conv2d(weight: ends[1], bias: ends[2], padding: 1) }
    #expect(y.dtype == .bfloat16)
    let mine =
      [y] + (y.to(.float32) * pass.seed).sum().gradients(withRespectTo: ends).map { $0! }
    let exact = pass.run(.float64, format: .contiguous)
    for (mine, its) in zip(mine, exact) {
      #expect(mine.dtype == (its.name == "output" ? .bfloat16 : .float32))
      let power: Double = its.value.square().mean().item()
      expectClose(
        mine.to(.float64), its.value, rtol: 1.0 / 100, atol: 2e-2 * power.squareRoot(), its.name)
    }
    // Where there is no matrix unit these kernels are what runs: libtorch's gradient was bfloat16.
    if !Runtime.hasMatrixUnit {
      #expect(
        mine[2].to(.bfloat16).to(.float32).elements(as: Float.self)
          != mine[2].elements(as: Float.self))
    }
  }
}
