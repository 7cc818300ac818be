import NeuralNets
import TestSupport
import Testing
import Torch

/// Spectral and conditional normalisation: outputs, gradients and buffers, against PyTorch.
@Suite struct AdversarialLayerTests {
  /// Two calls before one backward pass, as with real and generated samples.
  private final class Twice: Module, Layer {
    let inner: any Layer
    override var keys: [String: String] { ["inner": ""] }

    init(_ inner: any Layer) { self.inner = inner }

    func callAsFunction(_ x: Tensor) -> Tensor { inner(x) * 2 + inner(x.square()) }
  }

  static let cases: [LayerCase] = [
    .layer("linear") { SpectralNormLinear(5, 4, using: nil) },
    .layer("linear.no_bias") { SpectralNormLinear(5, 4, bias: false, using: nil) },
    .layer("linear.use", training: false) { SpectralNormLinear(5, 4, using: nil) },
    .layer("linear.twice") { Twice(SpectralNormLinear(5, 4, using: nil)) },
    .layer("conv") { SpectralNormConv2d(4, 6, kernel: 3, using: nil) },
    .layer("conv.stride") {
      SpectralNormConv2d(4, 3, kernel: 4, stride: 2, padding: 1, using: nil)
    },
    .layer("conv.groups") {
      SpectralNormConv2d(4, 6, kernel: 3, padding: 1, groups: 2, bias: false, using: nil)
    },
    .layer("conv.use", training: false) { SpectralNormConv2d(4, 6, kernel: 3, using: nil) },
    .layer("conv.twice") { Twice(SpectralNormConv2d(4, 6, kernel: 3, using: nil)) },
    .layer("embedding") { SpectralNormEmbedding(7, 4, using: nil) },
    .conditional("conditional") { ConditionalBatchNorm2d(4, classes: 4) },
    .conditional("conditional.momentum") {
      ConditionalBatchNorm2d(4, classes: 3, eps: 0.1, momentum: 0.7)
    },
    .conditional("conditional.use", training: false) { ConditionalBatchNorm2d(4, classes: 3) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("adversarial/layers") }

  @Test(arguments: cases)
  func equalsPyTorch(_ layer: LayerCase) throws {
    try layer.check(against: fixture, gradients: (rtol: 1e-5, atol: 2e-6))
  }

  @Test func everyGoldenCaseIsTested() {
    let golden = fixture.names.filter { $0.hasSuffix("/out") }.map { String($0.dropLast(4)) }
    #expect(Self.cases.map(\.name).sorted() == golden.sorted())
  }

  @Test func trainingBringsTheLargestSingularValueToOne() {
    let layer = SpectralNormConv2d(3, 5, kernel: 3, using: Generator(seed: 8))
    withoutGradients { layer.weight.value.multiply(by: 7) }
    for _ in 0..<60 { _ = layer(.zeros([1, 3, 4, 4])) }
    let weight = withoutGradients { layer.spectral(layer.weight.value) }
    #expect(weight.shape == [5, 3, 3, 3])
    let largest = weight.flattened(from: 1).svd().s[0]
    expectClose(largest, Tensor(1), rtol: 1e-3)
  }

  @Test func theStartIsNearTheLargestSingularValue() {
    let layer = SpectralNormLinear(20, 10, using: Generator(seed: 9))
    layer.setTraining(false)
    let whole = layer.spectral(layer.weight.value).detached().svd().s[0].item()
    // No estimate exceeds the largest one, but for rounding.
    #expect((1 - 1e-6..<1.1).contains(whole))
    Initializer.orthogonal(gain: 3).fill(layer.weight.value, using: Generator(seed: 1))
    layer.spectral.settle(layer.weight.value)
    #expect(abs(layer.spectral(layer.weight.value).detached().svd().s[0].item() - 1) < 1e-4)
  }

  @Test func useChangesNoDirection() {
    let layer = SpectralNormLinear(4, 3, using: Generator(seed: 10))
    Initializer.normal().fill(layer.weight.value, using: Generator(seed: 12))
    let (u, v) = (layer.spectral.u.value.clone(), layer.spectral.v.value.clone())
    layer.setTraining(false)
    _ = layer(.ones([2, 4]))
    expectEqual(layer.spectral.u.value, u)
    expectEqual(layer.spectral.v.value, v)
    layer.setTraining(true)
    withoutGradients { _ = layer(.ones([2, 4])) }
    #expect((layer.spectral.u.value .!= u).any().intItem() == 1)
  }

  @Test func keysStandBesideTheWeight() {
    let layer = SpectralNormConv2d(1, 2, kernel: 3, using: nil)
    #expect(layer.state.map(\.key) == ["weight", "bias", "u", "v"])
    #expect(layer.state.map(\.tensor.shape) == [[2, 1, 3, 3], [2], [2], [9]])
    let conditional = ConditionalBatchNorm2d(4, classes: 3)
    #expect(
      conditional.state.map(\.key)
        == ["gamma", "beta", "running_mean", "running_var", "num_batches_tracked"])
  }

  @Test func everyClassStartsAsThePlainNormalisation() {
    let x = Tensor.randn([6, 4, 3, 3], using: Generator(seed: 11))
    let labels = Tensor([0, 1, 2, 2, 1, 0] as [Int64])
    expectClose(ConditionalBatchNorm2d(4, classes: 3)(x, labels: labels), BatchNorm2d(4)(x))
  }
}
