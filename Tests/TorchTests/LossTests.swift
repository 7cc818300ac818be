import TestSupport
import Testing
import Torch

@Suite struct LossTests {
  static let reductions: [GoldenCase] = [
    ("none", Reduction.none), ("mean", .mean), ("sum", .sum),
  ].flatMap { (name: String, reduction: Reduction) -> [GoldenCase] in
    [
      .two("squared.\(name)", "x y") { $0.meanSquaredError($1, reduction: reduction) },
      .two("absolute.\(name)", "x y") { $0.absoluteError($1, reduction: reduction) },
      .two("huber.\(name)", "x y") { $0.huberLoss($1, delta: 0.7, reduction: reduction) },
      .two("binary.\(name)", "x share") {
        $0.binaryCrossEntropyWithLogits($1, reduction: reduction)
      },
      .two("cross.\(name)", "x classes") { $0.crossEntropy($1, reduction: reduction) },
      .two("smoothed.\(name)", "x classes") {
        $0.crossEntropy($1, labelSmoothing: 0.2, reduction: reduction)
      },
    ]
  }

  static let defaults: [GoldenCase] = [
    .two("squared", "x y") { $0.meanSquaredError($1) },
    .two("absolute", "x y") { $0.absoluteError($1) },
    .two("huber", "x y") { $0.huberLoss($1) },
    .two("binary", "x share") { $0.binaryCrossEntropyWithLogits($1) },
    .two("cross", "x classes") { $0.crossEntropy($1) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/losses") }

  @Test(arguments: reductions + defaults)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.reductions + Self.defaults, fixture)
  }
}
