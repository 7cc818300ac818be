import TestSupport
import Testing
import Torch

/// Convolutions and linear layers by halves of bfloat16 against the sum in double precision. Where the
/// processor has no matrix unit, these are libtorch's own sums.
@Suite struct MatrixUnitTests {
  struct Shape: CustomTestStringConvertible {
    var count = 8
    let inputs, outputs: Int
    var height = 16
    var width = 16
    var kernel = Extent(3, 3)
    var stride = Extent(1, 1)
    var padding = Extent(1, 1)
    var dilation = Extent(1, 1)
    var outputPadding: Extent?

    var testDescription: String {
      "\(count)×\(inputs)→\(outputs)×\(height)×\(width), kernel \(kernel), stride \(stride), "
        + "padding \(padding), dilation \(dilation)"
        + (outputPadding.map { ", transposed with \($0)" } ?? "")
    }

    /// Output for these ends.
    func callAsFunction(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
      guard let outputPadding else {
        return x.conv2d(
          weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation)
      }
      return x.convTranspose2d(
        weight: weight, bias: bias, stride: stride, padding: padding,
        outputPadding: outputPadding, dilation: dilation)
    }

    var weights: [Int] {
      (outputPadding == nil ? [outputs, inputs] : [inputs, outputs])
        + [kernel.height, kernel.width]
    }
  }

  /// Whole blocks of 32 and cut ones, of channels and of pixels; strides that leave pixels out, and
  /// pixels that no output sees; sides and windows that differ.
  static let shapes = [
    Shape(inputs: 64, outputs: 96, kernel: 1, padding: 0),
    Shape(count: 3, inputs: 40, outputs: 72, height: 13, width: 21, stride: 2),
    Shape(inputs: 64, outputs: 48, height: 14, width: 14, kernel: 4, stride: 2),
    Shape(
      inputs: 33, outputs: 65, height: 17, width: 12, kernel: Extent(5, 3), stride: Extent(3, 2),
      padding: Extent(2, 0), dilation: Extent(1, 2)),
    Shape(inputs: 160, outputs: 136, kernel: 1, stride: 3, padding: 0),
    Shape(inputs: 64, outputs: 48, height: 7, width: 7, kernel: 4, stride: 2, outputPadding: 0),
    Shape(
      inputs: 50, outputs: 70, height: 9, width: 6, stride: Extent(2, 3),
      outputPadding: Extent(1, 2)),
  ]

  private struct Pass {
    let shape: Shape
    let x, weight, bias: Tensor

    init(_ shape: Shape) {
      self.shape = shape
      let random = Generator(seed: 7)
      x = Tensor.randn([shape.count, shape.inputs, shape.height, shape.width], using: random)
      weight = Tensor.randn(shape.weights, using: random) / 10
      bias = Tensor.randn([shape.outputs], using: random)
    }

    /// Output and gradients, and those of the gradient's own norm.
    func run(_ type: DType) -> [(name: String, value: Tensor)] {
      let x = self.x.to(type).contiguous(.channelsLast).detached()
      return measured(x, weight.to(type), bias.to(type)) { shape($0, $1, $2) }
    }
  }

  private static func measured(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ layer: (Tensor, Tensor, Tensor) -> Tensor
  ) -> [(name: String, value: Tensor)] {
    for tensor in [x, weight, bias] { tensor.requiresGradient = true }
    let y = layer(x, weight, bias)
    let seed = Tensor.randn(y.shape, using: Generator(seed: 8)).to(y.dtype)
    return outputAndGradients(of: y, seed: seed, x: x, weight: weight, bias: bias)
  }

  private static func measured(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ layer: (Tensor, Tensor, Tensor) -> Tensor,
    in type: DType
  ) -> [(name: String, value: Tensor)] {
    measured(x.to(type).detached(), weight.to(type), bias.to(type), layer)
  }

  /// Each number's root mean square error stays below a 50,000th of the numbers' own size: a product
  /// leaves out 2⁻¹⁶ of it at most, which gives 4e-6; one half alone would give 2e-3.
  private static func check(
    _ mine: [(name: String, value: Tensor)], _ exact: [(name: String, value: Tensor)]
  ) {
    for (mine, its) in zip(mine, exact) {
      #expect(mine.value.shape == its.value.shape)
      let error: Double = (mine.value.to(.float64) - its.value).square().mean().item()
      let power: Double = its.value.square().mean().item()
      let share = (error / power).squareRoot()
      #expect(share < 2e-5, "\(mine.name): \(share)")
    }
  }

  @Test(arguments: shapes) func convolutionEqualsTheSum(_ shape: Shape) {
    let pass = Pass(shape)
    Self.check(Precision.bf16x3 { pass.run(.float32) }, pass.run(.float64))
  }

  @Test(arguments: [[128, 784, 400], [45, 100, 1300], [17, 9, 130, 257]])
  func linearLayerEqualsTheSum(_ sizes: [Int]) {
    let random = Generator(seed: 9)
    let (inputs, outputs) = (sizes[sizes.count - 2], sizes[sizes.count - 1])
    let x = Tensor.randn(Array(sizes.dropLast(2)) + [inputs], using: random)
    let weight = Tensor.randn([outputs, inputs], using: random) / 10
    let bias = Tensor.randn([outputs], using: random)
    func layer(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
      x.linear(weight: weight, bias: bias)
    }
    let mine = Precision.bf16x3 { Self.measured(x, weight, bias, layer, in: .float32) }
    let plain = layer(x, weight, bias).elements(as: Float.self)
    #expect((mine[0].value.elements(as: Float.self) != plain) == Runtime.hasMatrixUnit)
    Self.check(mine, Self.measured(x, weight, bias, layer, in: .float64))
  }

  /// The matrix unit is what runs, where there is one and it is asked for: other bits, for every shape
  /// here. Few channels go the plain way.
  @Test(arguments: shapes + [Shape(inputs: 3, outputs: 64)]) func isTaken(_ shape: Shape) {
    let pass = Pass(shape)
    let plain = pass.run(.float32)[0].value.elements(as: Float.self)
    let halves = Precision.bf16x3 { pass.run(.float32)[0].value.elements(as: Float.self) }
    #expect((plain != halves) == (shape.inputs >= 16 && Runtime.hasMatrixUnit))
    #expect(Precision.current == .fp32)
  }

  /// The same bits every time, on one thread too, and with oneDNN's own use of the unit between. Where
  /// there is no unit, float32's kernels run, whose sums may go by the number of threads.
  @Test func repeatsItself() {
    let pass = Pass(Self.shapes[2])
    func bits() -> [[Float]] {
      Precision.bf16x3 { pass.run(.float32).map { $0.value.elements(as: Float.self) } }
    }
    let once = bits()
    let a = Tensor.randn([256, 256], using: Generator(seed: 1)).to(.bfloat16)
    let product = a.matmul(a).to(.float32).elements(as: Float.self)
    #expect(bits() == once)
    #expect(!Runtime.hasMatrixUnit || Runtime.onOneThread(bits) == once)
    #expect(a.matmul(a).to(.float32).elements(as: Float.self) == product)
  }

  /// Frozen ends cost no gradient.
  @Test func frozenEndsGetNone() {
    let pass = Pass(Self.shapes[1])
    let x = pass.x.contiguous(.channelsLast)
    let weight = pass.weight.detached()
    weight.requiresGradient = true
    Precision.bf16x3 { pass.shape(x, weight, nil).sum().backward() }
    #expect(weight.gradient != nil && x.gradient == nil)
  }
}
