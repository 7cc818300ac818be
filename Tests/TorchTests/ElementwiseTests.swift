import TestSupport
import Testing
import Torch

@Suite struct ElementwiseTests {
  static let functions: [GoldenCase] = [
    .one("exp", "x") { $0.exp() },
    .one("expm1", "x") { $0.expm1() },
    .one("log", "positive") { $0.log() },
    .one("log1p", "positive") { $0.log1p() },
    .one("log2", "positive") { $0.log2() },
    .one("log10", "positive") { $0.log10() },
    .one("sqrt", "positive") { $0.sqrt() },
    .one("rsqrt", "positive") { $0.rsqrt() },
    .one("square", "x") { $0.square() },
    .one("reciprocal", "positive") { $0.reciprocal() },
    .one("abs", "x") { $0.abs() },
    .one("sin", "x") { $0.sin() },
    .one("cos", "x") { $0.cos() },
    .one("tan", "unit") { $0.tan() },
    .one("asin", "unit") { $0.asin() },
    .one("acos", "unit") { $0.acos() },
    .one("atan", "x") { $0.atan() },
    .one("sinh", "x") { $0.sinh() },
    .one("cosh", "x") { $0.cosh() },
    .one("tanh", "x") { $0.tanh() },
    .one("erf", "x") { $0.erf() },
    .one("erfinv", "unit") { $0.erfinv() },
    .one("lgamma", "positive") { $0.lgamma() },
    .one("exp.special", "special") { $0.exp() },
    .one("sign.special", "special") { $0.sign() },
    .one("floor.special", "special") { $0.floor() },
    .one("ceil.special", "special") { $0.ceil() },
    .one("round.special", "special") { $0.round() },
    .one("trunc.special", "special") { $0.trunc() },
    .one("isnan.special", "special") { $0.isNaN() },
    .one("isfinite.special", "special") { $0.isFinite() },
    .one("logical_not.special", "special") { $0.logicalNot() },
  ]

  static let activations: [GoldenCase] = [
    .one("sigmoid", "x") { $0.sigmoid() },
    .one("relu", "x") { $0.relu() },
    .one("silu", "x") { $0.silu() },
    .one("mish", "x") { $0.mish() },
    .one("hardswish", "x") { $0.hardswish() },
    .one("logsigmoid", "x") { $0.logSigmoid() },
    .one("leaky_relu", "x") { $0.leakyReLU() },
    .one("leaky_relu.slope", "x") { $0.leakyReLU(slope: 0.2) },
    .one("elu", "x") { $0.elu() },
    .one("elu.alpha", "x") { $0.elu(alpha: 0.7) },
    .one("gelu", "x") { $0.gelu() },
    .one("gelu.tanh", "x") { $0.gelu(tanhApproximation: true) },
    .one("softplus", "x") { $0.softplus() },
    .one("softplus.beta", "x") { $0.softplus(beta: 2, threshold: 1) },
    .one("softmax", "x") { $0.softmax(0) },
    .one("softmax.last", "x") { $0.softmax(-1) },
    .one("log_softmax", "x") { $0.logSoftmax(1) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/elementwise") }

  @Test(arguments: functions + activations)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.functions + Self.activations, fixture)
  }
}
