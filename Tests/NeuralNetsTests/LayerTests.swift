import NeuralNets
import TestSupport
import Testing
import Torch

/// Outputs, gradients of every parameter and running statistics, against PyTorch.
@Suite struct LayerTests {
  static let plain: [LayerCase] = [
    .layer("linear") { Linear(5, 4, using: nil) },
    .layer("linear.no_bias") { Linear(5, 4, bias: false, using: nil) },
    .layer("embedding") { Embedding(7, 4, using: nil) },
    .layer("conv") { Conv2d(4, 6, kernel: 3, using: nil) },
    .layer("conv.stride") { Conv2d(4, 3, kernel: 4, stride: 2, padding: 1, using: nil) },
    .layer("conv.rectangle") {
      Conv2d(
        4, 3, kernel: Extent(1, 3), stride: Extent(2, 1), padding: Extent(0, 2), using: nil)
    },
    .layer("conv.dilation") { Conv2d(4, 3, kernel: 3, padding: 2, dilation: 2, using: nil) },
    .layer("conv.groups") {
      Conv2d(4, 6, kernel: 3, padding: 1, groups: 2, bias: false, using: nil)
    },
    .layer("transpose") { ConvTranspose2d(4, 5, kernel: 3, using: nil) },
    .layer("transpose.stride") {
      ConvTranspose2d(4, 3, kernel: 4, stride: 2, padding: 1, using: nil)
    },
    .layer("transpose.output_padding") {
      ConvTranspose2d(4, 3, kernel: 4, stride: 2, padding: 1, outputPadding: 1, using: nil)
    },
    .layer("transpose.one_side") {
      ConvTranspose2d(
        4, 3, kernel: 3, stride: Extent(2, 1), padding: 1, outputPadding: Extent(1, 0), using: nil)
    },
    .layer("transpose.groups") {
      ConvTranspose2d(4, 6, kernel: 3, stride: 2, groups: 2, bias: false, using: nil)
    },
    .layer("transpose.dilation") {
      ConvTranspose2d(4, 3, kernel: 3, padding: 1, dilation: 2, using: nil)
    },
    .layer("group_norm") { GroupNorm(groups: 2, channels: 4) },
    .layer("group_norm.eps") { GroupNorm(groups: 4, channels: 4, eps: 0.1) },
    .layer("layer_norm") { LayerNorm(6) },
    .layer("layer_norm.eps") { LayerNorm(6, eps: 0.1) },
    .layer("batch_norm.training") { BatchNorm2d(4) },
    .layer("batch_norm.momentum") { BatchNorm2d(4, eps: 0.1, momentum: 0.7) },
    .layer("batch_norm.use", training: false) { BatchNorm2d(4) },
    .layer("sequential") {
      Sequential(
        Conv2d(4, 3, kernel: 3, using: nil), Activation(.silu),
        Sequential(GroupNorm(groups: 1, channels: 3), Conv2d(3, 2, kernel: 1, using: nil)))
    },
    .layer("upsample") { Upsample2D(4, 3, using: nil) },
    .layer("downsample") { Downsample2D(4, 3, using: nil) },
  ]

  static let activations = Activation.Kind.allCases.map { kind in
    LayerCase.layer("activation.\(kind.rawValue)") { Activation(kind) }
  }

  static let attentions: [LayerCase] = [
    .attention("attention.self") { Attention(width: 8, heads: 2, using: nil) },
    .attention("attention.cross") {
      Attention(width: 8, heads: 4, contextWidth: 6, bias: true, using: nil)
    },
    .attention("attention.causal", mask: { Tensor.ones([5, 5]).lowerTriangle() .!= 0 }) {
      Attention(width: 8, heads: 2, using: nil)
    },
    .attention(
      "attention.added_mask",
      mask: {
        (Tensor.arange(5, dtype: .float32).unsqueezed(1) - Tensor.arange(3, dtype: .float32)) / 2
      }
    ) { Attention(width: 8, heads: 1, contextWidth: 6, using: nil) },
    .attention("attention.pytorch") { Attention(width: 8, heads: 2, bias: true, using: nil) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("neural_nets/layers") }

  @Test(arguments: plain + activations + attentions)
  func equalsPyTorch(_ layer: LayerCase) throws {
    try layer.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    let cases = (Self.plain + Self.activations + Self.attentions).map(\.name)
    let golden = fixture.names.filter { $0.hasSuffix("/out") }.map { String($0.dropLast(4)) }
    #expect(cases.sorted() == golden.sorted())
  }

  @Test(arguments: [(3, 2), (4, 2), (5, 3)])
  func downsamplingRoundsUp(_ side: Int, _ half: Int) {
    let down = Downsample2D(1, 2, using: Generator(seed: 0))
    #expect(down(.zeros([1, 1, side, 2 * side])).shape == [1, 2, half, side])
    let up = Upsample2D(1, 2, using: Generator(seed: 0))
    #expect(up(.zeros([1, 1, half, side])).shape == [1, 2, 2 * half, 2 * side])
  }
}
