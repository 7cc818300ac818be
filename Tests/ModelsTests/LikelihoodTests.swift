import Models
import TestSupport
import Testing
import Torch

/// −log p(x | output) and its gradients against torch.distributions.
@Suite struct LikelihoodTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture("models/likelihoods") }

  @Test(arguments: Likelihood.allCases)
  func lossAndGradientEqualPyTorch(_ likelihood: Likelihood) throws {
    let (output, logSigma) = (try fixture["output"], try fixture["log_sigma"])
    output.requiresGradient = true
    logSigma.requiresGradient = true
    let losses = likelihood.negativeLogLikelihood(
      of: try fixture["x"], output: output, logSigma: likelihood.hasDeviation ? logSigma : nil)
    let name = likelihood.rawValue
    expectClose(losses, try fixture["\(name).losses"])
    (losses * Tensor([1, -2, 0.5] as [Float])).sum().backward()
    expectClose(try #require(output.gradient), try fixture["\(name).gradient"])
    #expect(likelihood.hasDeviation == fixture.contains("\(name).gradient_sigma"))
    #expect(likelihood.hasDeviation == (logSigma.gradient != nil))
    if let gradient = logSigma.gradient {
      expectClose(gradient, try fixture["\(name).gradient_sigma"], rtol: 1e-4)
    }
  }

  @Test(arguments: Likelihood.allCases)
  func theTotalIsTheSum(_ likelihood: Likelihood) throws {
    let (x, output) = (try fixture["x"], try fixture["output"])
    let logSigma = likelihood.hasDeviation ? try fixture["log_sigma"] : nil
    let total = likelihood.totalNegativeLogLikelihood(of: x, output: output, logSigma: logSigma)
    expectClose(total, try fixture["\(likelihood.rawValue).losses"].sum())
  }

  @Test func logitsBecomeChances() {
    let output = Tensor([-100, 0, 2] as [Float])
    expectClose(Likelihood.bernoulli.mean(output), Tensor([0, 0.5, 0.8807971] as [Float]))
  }

  @Test(arguments: [Likelihood.gaussian, .gaussianLearned, .l1])
  func meansAreHeldInTheRange(_ likelihood: Likelihood) {
    let mean = likelihood.mean(Tensor([-0.5, 0.25, 1.5] as [Float]))
    #expect(mean.elements(as: Float.self) == [0, 0.25, 1])
  }

  @Test(arguments: [Likelihood.gaussian, .gaussianLearned])
  func aDeviationStartsWhereItIsSet(_ likelihood: Likelihood) throws {
    var config = AutoencoderConfig.small(.variational, .mlp, imageSize: 3)
    config.likelihood = likelihood
    let network = Autoencoder(config, using: Generator(seed: 1))
    network.setDeviation(0.25)
    let x = Tensor.zeros([1, 1, 3, 3])
    // 9 · (0.2² / 2σ² + log σ + ½ log 2π)
    let loss = network.reconstructionLoss(x, output: x + 0.2).item()
    #expect(abs(loss - (9 * (0.32 - 1.3862944 + 0.9189385))) < 1e-4)
    let sigma = try #require(network.namedParameters.last)
    #expect(sigma.name == "log_sigma")
    #expect(sigma.parameter.value.requiresGradient == (likelihood == .gaussianLearned))
  }
}

extension AutoencoderConfig {
  /// A small network that tests change.
  static func small(
    _ kind: Kind, _ architecture: Architecture, imageSize: Int, channels: Int = 1
  ) -> AutoencoderConfig {
    AutoencoderConfig(
      kind: kind, architecture: architecture, imageSize: imageSize, channels: channels,
      latentDim: 3, hiddenDims: [8], blockOutChannels: [4, 6], layersPerBlock: 1,
      activation: .silu, likelihood: .bernoulli)
  }
}
