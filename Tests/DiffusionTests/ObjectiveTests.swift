import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The variational bound where it is known. What a training makes of it is held against PyTorch by
/// the ten-step tests.
@Suite struct ObjectiveTests {
  private let schedule = NoiseSchedule(count: 50, start: 0.001, end: 0.3)
  private let x = Tensor.rand([6, 1, 4, 4], using: Generator(seed: 1)) * 1.6 - 0.8
  private let noise = Tensor.randn([6, 1, 4, 4], using: Generator(seed: 2))
  private let levels = [1, 5, 10, 20, 40, 49]

  @Test(arguments: [Prediction.epsilon, .sample, .velocity])
  func aNetworkThatKnowsPaysNothing(_ prediction: Prediction) {
    let (alpha, sigma) = TrainingLevels.markov(schedule).factors(levels)
    let truth = prediction.target(x, noise: noise, alpha: alpha, sigma: sigma)
    let bound = VariationalBound(schedule, prediction: prediction, variance: .fixedSmall)
    let terms = bound.terms(x, noise: noise, levels: levels, output: truth)
    expectClose(terms, .zeros([6]), rtol: 0, atol: 1e-4)
  }

  /// L_{t−1} of an ε that is off by d: β² d² / (2 σ² α (1 − ᾱ)) (Ho et al. 2020, eq. 12).
  @Test func anErrorCostsWhatThePaperSays() {
    let bound = VariationalBound(schedule, prediction: .epsilon, variance: .fixedSmall)
    let off = 0.05
    let terms: [Double] = bound.terms(
      x, noise: noise, levels: levels, output: noise + off
    ).elements()
    for (t, term) in zip(levels, terms) where t < 20 {
      let (beta, bar) = (schedule.betas[t], schedule.alphasCumprod[t])
      let variance = schedule.posterior(t).variance
      let nats = beta * beta * off * off / (2 * variance * (1 - beta) * (1 - bar))
      #expect(abs(term - nats / log(2)) < 1e-3 * nats, "level \(t)")
    }
  }

  @Test func theBinsOfADecoderFillTheWholeLine() {
    let values = Tensor((0..<256).map { Float($0) / 127.5 - 1 }, shape: [256, 1, 1, 1])
    for (mean, deviation) in [(0.1, 0.05), (-1.3, 0.2), (0.99, 1.0)] {
      let mass = VariationalBound.logLikelihood(
        values, mean: Tensor(mean), logVariance: Tensor(2 * log(deviation))
      ).exp().sum().item()
      #expect(abs(mass - 1) < 1e-4, "mean \(mean), deviation \(deviation)")
    }
  }

  @Test func theLastLevelOfALongChainKnowsNothing() {
    let bound = VariationalBound(NoiseSchedule(), prediction: .epsilon, variance: .fixedSmall)
    let prior: [Double] = bound.prior(x).elements()
    #expect(prior.allSatisfy { 0 < $0 && $0 < 1e-3 })
  }

  @Test func aFlowIsAStraightLine() {
    let flow = TrainingLevels.flow(count: 10)
    #expect(flow.level(9) == SignalLevel(alpha: 0, sigma: 1))
    #expect(abs(flow.level(4).alpha - 0.5) < 1e-12)
    expectEqual(flow.told([0, 9]), Tensor([Float(1), 10]))
  }
}
