import NeuralNets
import TestSupport
import Testing
import Torch

/// Changed pictures and the gradients through them, against a PyTorch port with the same draws.
@Suite struct DiffAugmentTests {
  static let policies: [[DiffAugment.Operation]] =
    DiffAugment.Operation.allCases.map { [$0] } + [
      [.color, .translation, .cutout], [.cutout, .color],
    ]

  static let cases = ["colors", "greys"].flatMap { pictures in
    policies.map { policy in
      GoldenCase.one("\(pictures).\(policy.map(\.rawValue).joined(separator: "+"))", pictures) {
        DiffAugment(policy: policy)($0, using: Generator(seed: 706))
      }
    }
  }

  let fixture: Fixture

  init() throws { fixture = try Fixture("adversarial/augment") }

  @Test(arguments: cases)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.cases, fixture)
  }

  @Test func nothingIsDrawnWithoutAPolicy() throws {
    let generator = Generator(seed: 1)
    let before = generator.state
    let x = try fixture["colors"]
    expectEqual(DiffAugment(policy: [])(x, using: generator), x)
    expectEqual(generator.state, before)
    #expect(DiffAugment().policy == [.color, .translation, .cutout])
  }

  @Test func theMemoryLayoutDoesNotMatter() throws {
    let x = try fixture["colors"]
    let lastly = x.contiguous(.channelsLast)
    for policy in Self.policies {
      let augment = DiffAugment(policy: policy)
      expectClose(
        augment(lastly, using: Generator(seed: 4)), augment(x, using: Generator(seed: 4)))
    }
  }

  /// Every shift up to an eighth comes up, and none beyond.
  @Test func translationReachesAnEighth() {
    let size = 17  // an eighth is 2
    let picture = Tensor.zeros([size, size])
    picture[8][8].fill(1)
    let many = picture.expanded([400, 1, size, size])
    let moved = DiffAugment(policy: [.translation])(many, using: Generator(seed: 2))
    let places = moved.flattened(from: 1).argmax(1).elements(as: Int.self)
    #expect(Set(places.map { $0 / size }) == Set(6...10))
    #expect(Set(places.map { $0 % size }) == Set(6...10))
    expectEqual(moved.sum([1, 2, 3]), .ones([400]))
  }

  /// A hole of half of each side, whole in the middle and at least a quarter where it hangs over.
  @Test func cutoutTakesAQuarterAtMost() {
    let holes = DiffAugment(policy: [.cutout])(.ones([400, 1, 8, 8]), using: Generator(seed: 3))
    let areas = (1 - holes).sum([1, 2, 3]).elements(as: Int.self)
    #expect(areas.max() == 16 && areas.min() == 4)
  }

  /// A penalty on the slope of a critic that sees changed pictures: every change has a second
  /// derivative.
  @Test func penaltiesPassThrough() throws {
    let x = try fixture["colors"]
    let weight = Tensor.ones([1, 3, 3, 3])
    weight.requiresGradient = true
    GradientPenalty.r1(at: x) {
      DiffAugment()($0, using: Generator(seed: 5)).conv2d(weight: weight).tanh()
    }.backward()
    let gradient = try #require(weight.gradient)
    #expect(gradient.isFinite().all().intItem() == 1)
    #expect(gradient.abs().sum().item() > 0)
  }
}
