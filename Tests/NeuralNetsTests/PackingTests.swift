import NeuralNets
import TestSupport
import Testing
import Torch

/// Packed layers against the same layers as they are.
@Suite struct PackingTests {
  /// A convolution's shape and the side of its pictures.
  struct Shape: Sendable, CustomTestStringConvertible {
    var inputs = 32
    var outputs = 48
    var kernel = 3
    var stride = 1
    var padding = 1
    var groups = 1
    var side = 9
    var testDescription: String {
      "\(inputs)→\(outputs), \(kernel)×\(kernel) by \(stride), \(groups) groups, \(side) pixels"
    }

    func convolution(using random: Generator) -> Conv2d {
      Conv2d(
        inputs, outputs, kernel: Extent(kernel), stride: Extent(stride), padding: Extent(padding),
        groups: groups, using: random)
    }
  }

  private static let shapes = [
    Shape(), Shape(kernel: 1, padding: 0), Shape(stride: 2), Shape(inputs: 3, outputs: 5),
    Shape(groups: 4), Shape(inputs: 64, outputs: 64, side: 6),
  ]

  @Test(arguments: shapes, [DType.float32, .bfloat16])
  func convolutionsGiveTheSame(_ shape: Shape, _ dtype: DType) {
    let random = Generator(seed: 4)
    let layer = shape.convolution(using: random)
    layer.move(dtype: dtype)
    // The first size decides the layout; another one must do too.
    let inputs = [shape.side, shape.side + 4].map {
      Tensor.randn([2, shape.inputs, $0, $0], using: random).to(dtype).contiguous(.channelsLast)
    }
    let plain = inputs.map { x in withoutGradients { layer(x) } }
    layer.packForInference()
    for (x, expected) in zip(inputs, plain) {
      for _ in 0..<2 {
        let y = withoutGradients { layer(x) }
        #expect(y.dtype == dtype && y.isContiguous(.channelsLast))
        expectNear(y, expected, dtype)
      }
    }
  }

  /// A sum behind a layer, packed and as it is; in bfloat16 it is rounded once instead of twice.
  @Test(arguments: shapes, [DType.float32, .bfloat16])
  func sumsAreTheSame(_ shape: Shape, _ dtype: DType) {
    let random = Generator(seed: 14)
    let convolution = shape.convolution(using: random)
    let linear = Linear(shape.inputs, shape.outputs, using: random)
    for layer in [convolution, linear] as [any Layer] {
      layer.move(dtype: dtype)
      let size =
        layer is Linear ? [2, 5, shape.inputs] : [2, shape.inputs, shape.side, shape.side]
      var x = Tensor.randn(size, using: random).to(dtype)
      if size.count == 4 { x = x.contiguous(.channelsLast) }
      let alone = withoutGradients { layer(x) }
      let other = Tensor.randn(alone.shape, using: random)
      let expected = alone + other.to(dtype)
      expectNear(withoutGradients { layer(x, adding: other.to(dtype)) }, expected, dtype)
      layer.packForInference()
      withoutGradients {
        for _ in 0..<2 { expectNear(layer(x, adding: other.to(dtype)), expected, dtype) }
        // Of another type it is added by itself.
        let mixed = layer(x, adding: other)
        #expect(mixed.dtype == .float32)
        expectNear(mixed, alone + other, dtype)
      }
    }
  }

  @Test(arguments: [DType.float32, .bfloat16]) func linearLayersGiveTheSame(_ dtype: DType) {
    let random = Generator(seed: 5)
    for hasBias in [true, false] {
      let layer = Linear(48, 80, bias: hasBias, using: random)
      layer.move(dtype: dtype)
      let inputs = [[2, 7, 48], [1, 48], [3, 1, 5, 48]].map {
        Tensor.randn($0, using: random).to(dtype)
      }
      let turned = Tensor.randn([2, 48, 7], using: random).to(dtype).transposed(1, 2)
      let plain = (inputs + [turned]).map { x in withoutGradients { layer(x) } }
      layer.packForInference()
      for (x, expected) in zip(inputs + [turned], plain) {
        expectNear(withoutGradients { layer(x) }, expected, dtype)
      }
    }
  }

  /// With gradients the layer is as it was, weights and all.
  @Test func trainingGoesOn() {
    let layer = Linear(8, 8, using: Generator(seed: 6))
    let x = Tensor.randn([4, 8], using: Generator(seed: 7))
    layer.packForInference()
    _ = withoutGradients { layer(x) }
    layer(x).sum().backward()
    #expect(layer.weight.value.gradient != nil)
  }

  /// Other weights are laid out anew, and another type of input goes through the plain layer.
  @Test func otherWeightsCount() throws {
    let (one, other) = (
      Linear(8, 8, using: Generator(seed: 6)), Linear(8, 8, using: Generator(seed: 9))
    )
    let x = Tensor.randn([4, 8], using: Generator(seed: 7))
    one.packForInference()
    withoutGradients { _ = one(x) }
    try one.load(Dictionary(other.state.map { ($0.key, $0.tensor) }) { first, _ in first })
    expectNear(withoutGradients { one(x) }, withoutGradients { other(x) }, .float32)
    one.move(dtype: .bfloat16)
    other.move(dtype: .bfloat16)
    let half = x.to(.bfloat16)
    expectNear(withoutGradients { one(half) }, withoutGradients { other(half) }, .bfloat16)
  }

  /// One number stands for a weight that was given up, under the weight's shape.
  @Test func weightsCanBeGivenUp() {
    let random = Generator(seed: 8)
    let layer = Conv2d(32, 64, kernel: 3, padding: 1, using: random)
    layer.move(dtype: .bfloat16)
    let x = Tensor.randn([1, 32, 8, 8], using: random).to(.bfloat16).contiguous(.channelsLast)
    let expected = withoutGradients { layer(x) }
    layer.packForInference(freeingWeights: true)
    for _ in 0..<2 { expectNear(withoutGradients { layer(x) }, expected, .bfloat16) }
    #expect(layer.weight.value.shape == [64, 32, 3, 3])
    #expect(layer.weight.value.strides == [0, 0, 0, 0])
  }

  /// Sums in another order: float32 within its rounding, bfloat16 within one place of the result.
  private func expectNear(_ y: Tensor, _ expected: Tensor, _ dtype: DType) {
    let error = dtype == .float32 ? 1e-5 : 1.0 / 128
    expectClose(y.to(.float32), expected.to(.float32), rtol: error, atol: error, "")
  }
}
