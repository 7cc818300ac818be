import Foundation
import NeuralNets
import TestSupport
import Testing
import Torch

/// Values and gradients with respect to every score, against PyTorch.
@Suite struct AdversarialLossTests {
  /// Plain scores, scores of patches, scores where a sigmoid is 0 or 1 to the last bit.
  static let cases = AdversarialLoss.allCases.flatMap { loss in
    ["", "_patches", "_far"].flatMap { kind -> [GoldenCase] in
      let name = loss.rawValue + kind
      return [
        .two("\(name).discriminator", "real\(kind) fake\(kind)", atol: 1e-9) {
          loss.discriminatorLoss(real: $0, fake: $1)
        },
        .two("\(name).generator", "real\(kind) fake\(kind)", atol: 1e-9) {
          loss.generatorLoss(real: $0, fake: $1)
        },
      ]
    }
  }

  let fixture: Fixture

  init() throws { fixture = try Fixture("adversarial/losses") }

  @Test(arguments: cases)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.cases, fixture)
  }

  @Test(arguments: AdversarialLoss.allCases, ["", "_patches"])
  func theBalanceEqualsPyTorch(_ loss: AdversarialLoss, _ kind: String) throws {
    let balance = AdversarialBalance(
      loss, real: try fixture["real\(kind)"], fake: try fixture["fake\(kind)"])
    let found = [balance.value, balance.realScore, balance.fakeScore, balance.accuracy]
    expectClose(
      Tensor(found), try fixture["balance.\(loss.rawValue)\(kind)"], rtol: 1e-12, atol: 1e-12)
  }

  @Test func aDiscriminatorThatKnowsNothingIsWorthLogFour() {
    let zero = Tensor.zeros([6, 1])
    let balance = AdversarialBalance(.nonSaturating, real: zero, fake: zero)
    #expect(abs(balance.value + log(4)) < 1e-12)
    #expect((balance.realScore, balance.fakeScore, balance.accuracy) == (0.5, 0.5, 0.5))
    for loss in [AdversarialLoss.minimax, .nonSaturating, .relativistic] {
      let pairs = loss == .relativistic ? 1.0 : 2
      #expect(abs(loss.discriminatorLoss(real: zero, fake: zero).item() - pairs * log(2)) < 1e-6)
    }
  }

  /// Four samples of which thresholds decide differently: 0 mistakes the 0.4, ½ nothing, and the
  /// middle of both means, 0.95, the 0.6.
  @Test(arguments: AdversarialLoss.allCases)
  func accuracyDependsOnTheThreshold(_ loss: AdversarialLoss) {
    let real = Tensor([5, 0.6] as [Float])
    let fake = Tensor([-2.2, 0.4] as [Float])
    let right = AdversarialBalance(loss, real: real, fake: fake)
    #expect(right.accuracy == (loss == .lsgan ? 1 : 0.75))
    let wrong = AdversarialBalance(loss, real: fake, fake: real)
    #expect(wrong.accuracy == (loss == .lsgan ? 0 : 0.25))
  }

  /// Scores of a relativistic game may drift together; nothing that is measured goes with them.
  @Test func aRelativisticGameHasNoZero() throws {
    let (real, fake) = (try fixture["real"], try fixture["fake"])
    let here = AdversarialBalance(.relativistic, real: real, fake: fake)
    let there = AdversarialBalance(.relativistic, real: real + 64, fake: fake + 64)
    #expect(abs(here.value - there.value) < 1e-5)
    #expect(here.accuracy == there.accuracy)
    let loss = AdversarialLoss.relativistic
    expectClose(
      loss.discriminatorLoss(real: real + 64, fake: fake + 64),
      loss.discriminatorLoss(real: real, fake: fake))
  }

  @Test func theGeneratorOfTheFirstGameSaturates() throws {
    func push(_ loss: AdversarialLoss) throws -> Double {
      let sure = Tensor([-12] as [Float])
      sure.requiresGradient = true
      loss.generatorLoss(fake: sure).backward()
      return abs(try #require(sure.gradient).item())
    }
    #expect(try push(.minimax) < 1e-5)
    #expect(try push(.nonSaturating) > 0.9999)
  }

  @Test func pairsNeedScoresOfRealSamples() async {
    await #expect(processExitsWith: .failure) {
      _ = AdversarialLoss.relativistic.generatorLoss(fake: .zeros([3]))
    }
    await #expect(processExitsWith: .failure) {
      _ = AdversarialLoss.relativistic.discriminatorLoss(real: .zeros([3]), fake: .zeros([3, 1]))
    }
  }
}
