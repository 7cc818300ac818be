import TestSupport
import Testing
import Torch

/// Convolutions of grey pictures, and transposed ones to them, as one matrix product over their taps,
/// against libtorch's in double precision.
@Suite struct ThinConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var many = 64
    var kernel = Extent(4)
    var stride = Extent(2)
    var padding = Extent(1)
    var dilation = Extent(1)
    var outputPadding = Extent(0)
    var size = Extent(14, 10)
    var testDescription: String {
      "\(many), \(kernel) by \(stride), padding \(padding) and \(outputPadding), "
        + "dilation \(dilation), \(size)"
    }
  }

  static let cases = [
    Case(), Case(kernel: Extent(3), stride: 1), Case(many: 16, kernel: Extent(2, 2)),
    Case(kernel: Extent(3, 5), stride: Extent(1, 3), padding: Extent(0, 2)),
    Case(kernel: Extent(3), dilation: Extent(2, 1), outputPadding: Extent(1, 0)),
    Case(many: 20, kernel: 1, stride: 1, padding: 0),
    Case(kernel: Extent(3), stride: 1, padding: 0, size: Extent(3, 3)),
  ]

  private func run(
    _ shape: Case, isTransposed: Bool, hasBias: Bool, _ dtype: DType, _ format: MemoryFormat
  ) -> [(name: String, value: Tensor)] {
    let random = Generator(seed: 7)
    let (inputs, outputs) =
      isTransposed ? (shape.many, 1) : (1, shape.many)
    let x = Tensor.randn([5, inputs, shape.size.height, shape.size.width], using: random)
      .to(dtype).contiguous(format).detached()
    let weight = Tensor.randn(
      [shape.many, 1, shape.kernel.height, shape.kernel.width], using: random
    ).to(dtype)
    let bias = Tensor.randn([outputs], using: random).to(dtype)
    for end in [x, weight, bias] { end.requiresGradient = true }
    let offset = hasBias ? bias : nil
    let y =
      isTransposed
      ? x.convTranspose2d(
        weight: weight, bias: offset, stride: shape.stride, padding: shape.padding,
        outputPadding: shape.outputPadding, dilation: shape.dilation)
      : x.conv2d(
        weight: weight, bias: offset, stride: shape.stride, padding: shape.padding,
        dilation: shape.dilation)
    if dtype == .float32, !isTransposed { #expect(y.isContiguous(.channelsLast)) }
    let seed = Tensor.randn(y.shape, using: random).to(dtype)
    let sum = hasBias ? y : y + bias.sum() * 0
    return outputAndGradients(of: sum, seed: seed, x: x, weight: weight, bias: bias)
  }

  @Test(arguments: cases, [false, true]) func equalsTheSum(_ shape: Case, _ isTransposed: Bool) {
    for hasBias in [true, false] {
      let exact = run(
        shape, isTransposed: isTransposed, hasBias: hasBias, .float64, .contiguous)
      for format in [MemoryFormat.contiguous, .channelsLast] {
        let mine = run(shape, isTransposed: isTransposed, hasBias: hasBias, .float32, format)
        for (mine, its) in zip(mine, exact) {
          let scale: Double = its.value.abs().max().item()
          expectClose(
            mine.value.to(.float64), its.value, rtol: 0, atol: 1e-5 * max(scale, 1), mine.name)
        }
      }
    }
  }

  /// What fits no picture or layer is libtorch's to refuse, in a sentence.
  @Test func impossibleSizesAreRefused() async throws {
    func expectRefusal(_ result: ExitTest.Result?, _ sentence: String) throws {
      let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
      #expect(said.contains(sentence), "\(said)")
    }
    try expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Tensor.zeros([1, 1, 2, 2]).conv2d(weight: .zeros([16, 1, 4, 4]))
      }, "Kernel size can't be greater than actual input size")
    try expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Tensor.zeros([1, 1, 8, 8]).conv2d(weight: .zeros([16, 1, 4, 4]), stride: 0)
      }, "stride")
    try expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Tensor.zeros([1, 1, 8, 8]).conv2d(weight: .zeros([16, 1, 4, 4]), bias: .zeros([1]))
      }, "bias")
  }
}
