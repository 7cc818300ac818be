import NeuralNets
import TestSupport
import Testing
import Torch

/// Penalties of small critics and, by double backward, their gradients for every weight.
@Suite struct AdversarialPenaltyTests {
  enum Critic: String, CaseIterable {
    case points, plain, smooth, spectral
    case batchNorm = "batch_norm"

    func network() -> Sequential {
      switch self {
      case .points:
        Sequential(
          Linear(2, 8, using: nil), Activation(.tanh), Linear(8, 8, using: nil),
          Activation(.silu), Linear(8, 1, using: nil))
      case .plain:
        Sequential(
          Conv2d(3, 4, kernel: 3, padding: 1, using: nil), Activation(.leakyReLU),
          Conv2d(4, 6, kernel: 4, stride: 2, padding: 1, using: nil), Activation(.leakyReLU),
          Conv2d(6, 1, kernel: 3, using: nil))
      case .smooth:
        Sequential(
          Conv2d(3, 4, kernel: 3, padding: 1, using: nil), Activation(.gelu),
          Conv2d(4, 4, kernel: 3, padding: 1, groups: 2, using: nil),
          GroupNorm(groups: 2, channels: 4), Activation(.silu),
          Conv2d(4, 1, kernel: 4, stride: 2, padding: 1, using: nil))
      case .batchNorm:
        Sequential(
          Conv2d(3, 4, kernel: 4, stride: 2, padding: 1, using: nil), BatchNorm2d(4),
          Activation(.leakyReLU), Conv2d(4, 1, kernel: 3, using: nil))
      case .spectral:
        Sequential(
          SpectralNormConv2d(3, 4, kernel: 4, stride: 2, padding: 1, using: nil),
          Activation(.leakyReLU), SpectralNormConv2d(4, 1, kernel: 3, using: nil))
      }
    }
  }

  enum Penalty: String, CaseIterable {
    case r1, dragan
    case wganGP = "wgan_gp"

    func callAsFunction(_ real: Tensor, _ fake: Tensor, _ critic: (Tensor) -> Tensor) -> Tensor {
      let draws = Generator(seed: 702)
      return switch self {
      case .r1: GradientPenalty.r1(at: real, critic)
      case .wganGP:
        GradientPenalty.wganGP(
          real: real, fake: fake, shares: .rand([real.size(0)], using: draws), critic)
      case .dragan: GradientPenalty.dragan(real: real, using: draws, critic)
      }
    }
  }

  let fixture: Fixture

  init() throws { fixture = try Fixture("adversarial/penalties") }

  private func part(_ prefix: String) throws -> [String: Tensor] {
    let names = fixture.names.filter { $0.hasPrefix(prefix) }
    return try Dictionary(
      uniqueKeysWithValues: names.map { (String($0.dropFirst(prefix.count)), try fixture[$0]) })
  }

  @Test(arguments: Critic.allCases, Penalty.allCases)
  func equalsPyTorch(_ critic: Critic, _ penalty: Penalty) throws {
    let network = critic.network()
    try network.load(part("\(critic.rawValue)/weights/"))
    let kind = critic == .points ? "points" : "pictures"
    let (real, fake) = (try fixture["real.\(kind)"], try fixture["fake.\(kind)"])
    let loss = penalty(real, fake) { network($0) }
    let name = "\(critic.rawValue)/\(penalty.rawValue)"
    expectClose(loss, try fixture["\(name)/out"], name)
    loss.backward()
    let gradients = try part("\(name)/grad/")
    #expect(gradients.count > 2)
    for (key, parameter) in network.namedParameters {
      let expected = gradients[key]
      #expect((parameter.value.gradient == nil) == (expected == nil), "\(name), \(key)")
      guard let gradient = parameter.value.gradient, let expected else { continue }
      expectClose(gradient, expected, atol: 3e-6, "\(name), gradient of \(key)")
    }
  }

  @Test func everyGoldenCaseIsTested() {
    let cases = Critic.allCases.flatMap { critic in
      Penalty.allCases.map { "\(critic.rawValue)/\($0.rawValue)" }
    }
    let golden = fixture.names.filter { $0.hasSuffix("/out") }.map { String($0.dropLast(4)) }
    #expect(cases.sorted() == golden.sorted())
  }

  /// A critic w · x has the slope w everywhere.
  @Test(arguments: Penalty.allCases)
  func aLinearCriticHasAClosedForm(_ penalty: Penalty) throws {
    let weight = Tensor([3, 4] as [Float])
    weight.requiresGradient = true
    let loss = penalty(.ones([5, 2]), .zeros([5, 2])) { $0.matmul(weight) }
    loss.backward()
    let gradient = try #require(weight.gradient)
    switch penalty {
    case .r1:  // ‖w‖², 2w
      expectClose(loss.detached(), Tensor(25))
      expectClose(gradient, Tensor([6, 8] as [Float]))
    case .wganGP, .dragan:  // (‖w‖ − 1)², 2(‖w‖ − 1) w / ‖w‖
      expectClose(loss.detached(), Tensor(16))
      expectClose(gradient, Tensor([4.8, 6.4] as [Float]))
    }
  }

  /// A critic ½‖x‖² has the slope x, and so says where it was asked.
  @Test func wganGPLooksBetweenRealAndGenerated() {
    let real = Tensor.randn([4, 3, 2, 2], using: Generator(seed: 1))
    let fake = Tensor.randn([4, 3, 2, 2], using: Generator(seed: 2))
    let u = Tensor.rand([4, 1, 1, 1], using: Generator(seed: 3))
    let between = u * real + (1 - u) * fake
    let found = GradientPenalty.wganGP(
      real: real, fake: fake, shares: .rand([real.size(0)], using: Generator(seed: 3))
    ) {
      $0.square().sum([1, 2, 3]) / 2
    }
    let norms = between.square().sum([1, 2, 3]).sqrt()
    expectClose(found.detached(), (norms - 1).square().mean())
  }

  @Test(arguments: Penalty.allCases)
  func aFlatCriticGivesNumbers(_ penalty: Penalty) throws {
    let weight = Tensor([0, 0] as [Float])
    weight.requiresGradient = true
    let loss = penalty(.ones([3, 2]), .zeros([3, 2])) { $0.matmul(weight) }
    loss.backward()
    #expect(loss.item() == (penalty == .r1 ? 0 : 1))
    expectEqual(try #require(weight.gradient), .zeros([2]))
  }

  @Test(arguments: Penalty.allCases)
  func samplesKeepOutOfTheGraph(_ penalty: Penalty) {
    let (real, fake) = (Tensor.ones([3, 2]), Tensor.zeros([3, 2]))
    real.requiresGradient = true
    fake.requiresGradient = true
    let weight = Tensor([1, 2] as [Float])
    weight.requiresGradient = true
    penalty(real * 2, fake * 2) { $0.square().matmul(weight) }.backward()
    #expect(real.gradient == nil && fake.gradient == nil && weight.gradient != nil)
  }

  @Test func aPenaltyLeavesNothingBehind() async {
    await #expect(processExitsWith: .success) {
      expectNoLeaks {
        let network = Sequential(
          Conv2d(1, 2, kernel: 3, using: Generator(seed: 0)), Activation(.silu),
          Conv2d(2, 1, kernel: 2, using: Generator(seed: 0)))
        for _ in 0..<3 {
          GradientPenalty.r1(at: .ones([2, 1, 4, 4])) { network($0) }.backward()
          network.clearGradients()
        }
      }
    }
  }

  @Test func clippingHoldsEveryWeight() throws {
    let layer = Linear(2, 2, using: nil)
    try layer.load([
      "weight": Tensor([-3, 0.005, 0.01, 2] as [Float], shape: [2, 2]),
      "bias": Tensor([-0.01, .infinity] as [Float]),
    ])
    let memory = layer.weight.value
    clipParameters(layer.parameters, to: 0.01)
    expectEqual(
      layer.weight.value.detached(), Tensor([-0.01, 0.005, 0.01, 0.01] as [Float], shape: [2, 2]))
    expectEqual(try #require(layer.bias).value.detached(), Tensor([-0.01, 0.01] as [Float]))
    #expect(memory.sharesMemory(with: layer.weight.value) && layer.weight.value.isLeaf)
  }
}
