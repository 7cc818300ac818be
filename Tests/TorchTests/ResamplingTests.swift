import TestSupport
import Testing
import Torch

@Suite struct ResamplingTests {
  static let pools: [GoldenCase] = [
    .one("max_pool", "x") { $0.maxPool2d(kernel: 2) },
    .one("max_pool.stride", "x") {
      $0.maxPool2d(kernel: Extent(3, 2), stride: Extent(2, 1), padding: Extent(1, 0))
    },
    .one("avg_pool", "x") { $0.avgPool2d(kernel: 2) },
    .one("avg_pool.stride", "x") {
      $0.avgPool2d(kernel: Extent(3, 2), stride: Extent(2, 1), padding: Extent(1, 0))
    },
    .one("avg_pool.inside", "x") {
      $0.avgPool2d(kernel: 3, stride: 1, padding: 1, countingPadding: false)
    },
    .one("adaptive", "x") { $0.adaptiveAvgPool2d(Extent(4, 2)) },
  ]

  static let sizes: [GoldenCase] = [("up", Extent(9, 10)), ("down", Extent(3, 2))]
    .flatMap { (name: String, size: Extent) -> [GoldenCase] in
      [
        .one("nearest.\(name)", "x") { $0.interpolated(to: size) },
        .one("bilinear.\(name)", "x") { $0.interpolated(to: size, .bilinear()) },
        .one("bilinear.antialias.\(name)", "x") {
          $0.interpolated(to: size, .bilinear(antialias: true))
        },
        .one("bicubic.\(name)", "x") { $0.interpolated(to: size, .bicubic()) },
        .one("bicubic.antialias.\(name)", "x") {
          $0.interpolated(to: size, .bicubic(antialias: true))
        },
      ]
    }

  static let edges: [GoldenCase] = [
    .one("shuffled", "channels") { $0.pixelShuffled(2) },
    .one("unshuffled", "channels") { $0.narrowed(-1, 0, 2).pixelUnshuffled(2) },
    .one("padded", "x") { $0.padded([1, 2]) },
    .one("padded.value", "x") { $0.padded([1, 0, 0, 2], .constant(1.5)) },
    .one("padded.cropped", "x") { $0.padded([-1, 1, 0, -2]) },
    .one("padded.reflect", "x") { $0.padded([1, 2, 2, 0], .reflect) },
    .one("padded.replicate", "x") { $0.padded([1, 2, 2, 0], .replicate) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/resampling") }

  @Test(arguments: pools + sizes + edges)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.pools + Self.sizes + Self.edges, fixture)
  }
}
