import TestSupport
import Testing
import Torch

@Suite struct LayerTests {
  static let convolutions: [GoldenCase] = [
    .three("linear", "rows w b5") { $0.linear(weight: $1, bias: $2) },
    .two("linear.plain", "rows w") { $0.linear(weight: $1) },
    .three("conv", "x k b6") { $0.conv2d(weight: $1, bias: $2) },
    .two("conv.plain", "x k") { $0.conv2d(weight: $1) },
    .three("conv.stride", "x k b6") {
      $0.conv2d(weight: $1, bias: $2, stride: Extent(2, 1), padding: Extent(1, 2))
    },
    .three("conv.dilation", "x k b6") {
      $0.conv2d(weight: $1, bias: $2, padding: 2, dilation: Extent(2, 1))
    },
    .three("conv.groups", "x k2 b6") { $0.conv2d(weight: $1, bias: $2, groups: 2) },
    .three("conv.depthwise", "x kd b4") {
      $0.conv2d(weight: $1, bias: $2, padding: Extent(1), groups: 4)
    },
    .three("transpose", "x kt b3") { $0.convTranspose2d(weight: $1, bias: $2) },
    .two("transpose.plain", "x kt") { $0.convTranspose2d(weight: $1) },
    .three("transpose.stride", "x kt b3") {
      $0.convTranspose2d(
        weight: $1, bias: $2, stride: 2, padding: 1, outputPadding: Extent(1, 0))
    },
    .three("transpose.groups", "x kt2 b4") {
      $0.convTranspose2d(weight: $1, bias: $2, dilation: Extent(1, 2), groups: 2)
    },
    .two("embedding", "tokens table") { $0.embedding(weight: $1) },
  ]

  static let norms: [GoldenCase] = [
    .three("group_norm", "x w4 b4") { $0.groupNorm(groups: 2, weight: $1, bias: $2) },
    .one("group_norm.plain", "x") { $0.groupNorm(groups: 4, eps: 0.1) },
    .three("layer_norm", "rows w4 b4") { $0.layerNorm([4], weight: $1, bias: $2) },
    .three("layer_norm.two", "rows w34 b34") { $0.layerNorm([3, 4], weight: $1, bias: $2) },
    .one("layer_norm.plain", "rows") { $0.layerNorm([4], eps: 0.1) },
    .many("batch_norm", "x w4 b4 mean variance") { trained($0) },
    .many("batch_norm.momentum", "x w4 b4 mean variance") { trained($0, momentum: 0.3) },
    .one("batch_norm.plain", "x") { $0.batchNorm(training: true, eps: 0.1) },
    .many("batch_norm.eval", "x w4 b4 mean variance") {
      [
        $0[0].batchNorm(
          weight: $0[1], bias: $0[2], runningMean: $0[3].detached(),
          runningVariance: $0[4].detached(), training: false)
      ]
    },
  ]

  static let attention: [GoldenCase] = [
    .three("attention", "q kk v") { .attention(query: $0, key: $1, value: $2) },
    .many("attention.mask", "q kk v mask") {
      [.attention(query: $0[0], key: $0[1], value: $0[2], mask: $0[3].detached())]
    },
    .many("attention.keep", "q kk v keep") {
      [.attention(query: $0[0], key: $0[1], value: $0[2], mask: $0[3])]
    },
    .three("attention.causal", "q kk v") {
      .attention(query: $0, key: $1, value: $2, causal: true)
    },
    .three("attention.scale", "q kk v") { .attention(query: $0, key: $1, value: $2, scale: 0.2) },
    .three("attention.negative_scale", "q kk v") {
      .attention(query: $0, key: $1, value: $2, scale: -0.4)
    },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/layers") }

  @Test(arguments: convolutions + norms + attention)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.convolutions + Self.norms + Self.attention, fixture)
  }

  @Test func channelsLastComputesTheSame() throws {
    let x = try fixture["x"].contiguous(.channelsLast)
    let kernel = try fixture["k"].contiguous(.channelsLast)
    let bias = try fixture["b6"]
    for (name, options) in [
      ("conv", (Extent(1), Extent(0))), ("conv.stride", (Extent(2, 1), Extent(1, 2))),
    ] {
      let out = x.conv2d(weight: kernel, bias: bias, stride: options.0, padding: options.1)
      #expect(out.isContiguous(.channelsLast) && !out.isContiguous())
      expectClose(out, try fixture["\(name).out0"], "\(name)")
    }
    let transposed = x.convTranspose2d(
      weight: try fixture["kt"].contiguous(.channelsLast), bias: try fixture["b3"], stride: 2,
      padding: 1, outputPadding: Extent(1, 0))
    #expect(transposed.isContiguous(.channelsLast))
    expectClose(transposed, try fixture["transpose.stride.out0"])
    let normalised = x.groupNorm(groups: 2, weight: try fixture["w4"], bias: try fixture["b4"])
    #expect(normalised.isContiguous(.channelsLast))
    expectClose(normalised, try fixture["group_norm.out0"])
  }

  @Test func extentsNameTheirDirections() {
    var extent = Extent(2, 3)
    #expect(extent.height == 2 && extent.width == 3)
    #expect(Extent(4) == Extent(4, 4) && Extent(4) == 4)
    extent.width = 2
    #expect(extent == 2)
  }
}

/// The output, and the running statistics that training moved.
private func trained(_ x: [Tensor], momentum: Double = 0.1) -> [Tensor] {
  let (mean, variance) = (x[3].detached().clone(), x[4].detached().clone())
  let out = x[0].batchNorm(
    weight: x[1], bias: x[2], runningMean: mean, runningVariance: variance, training: true,
    momentum: momentum)
  return [out, mean, variance]
}
