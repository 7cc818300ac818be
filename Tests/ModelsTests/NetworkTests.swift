import Interchange
import Models
import TestSupport
import Testing
import Torch

/// Whole networks, their bounds and gradients against PyTorch's, from the same weights and noise.
@Suite struct NetworkTests {
  static let variational = ["vae_mlp", "vae_conv"]
  static let all = variational + ["ae_mlp", "ae_conv"]
  /// β and free bits, in the order of generators/models.py.
  static let objectives = [(1.0, 0.0), (4.0, 0.0), (1.0, 0.5), (0.5, 0.18)]

  /// A golden network with its weights loaded: every key has to fit.
  private func golden(_ name: String) throws -> (Autoencoder, Fixture, x: Tensor) {
    let cases = try JSON(contentsOfFile: Fixture.folder.appending(path: "models/cases.json").path)
    let config: AutoencoderConfig = try #require(cases["networks"]?[name]).decode()
    let fixture = try Fixture("models/network_\(name)")
    let network = Autoencoder(config, using: nil)
    let keys = fixture.names.filter { $0.hasPrefix("weights/") }
    try network.load(
      Dictionary(uniqueKeysWithValues: keys.map { (String($0.dropFirst(8)), try fixture[$0]) }))
    return (network, fixture, try fixture["x"])
  }

  @Test(arguments: all)
  func codesAndPicturesEqualPyTorch(_ name: String) throws {
    let (network, fixture, x) = try golden(name)
    let code = network.encode(x)
    expectClose(code, try fixture["code"])
    var z = code
    if Self.variational.contains(name) {
      let posterior = network.posterior(x)
      expectClose(posterior.logVariance, try fixture["log_variance"])
      z = posterior.sample(using: Generator(seed: 11))
    }
    let output = network.decodeOutput(z)
    expectClose(output, try fixture["output"], rtol: 1e-4, atol: 1e-5)
    expectClose(network.decode(z), network.config.likelihood.mean(output))
    let losses = try fixture["losses"]
    expectClose(network.reconstructionLoss(x, output: output), losses)
    expectClose(network.meanReconstructionLoss(x, output: output), losses.mean())
  }

  @Test(arguments: variational)
  func boundAndObjectivesEqualPyTorch(_ name: String) throws {
    let (network, fixture, x) = try golden(name)
    for (place, (beta, freeBits)) in Self.objectives.enumerated() {
      let bound = network.evidenceLowerBound(x, using: Generator(seed: 11))
      expectClose(bound.reconstruction, try fixture["losses"].mean())
      expectClose(bound.klPerDimension, try fixture["kl"])
      expectClose(bound.kl, try fixture["kl"].sum())
      expectClose(bound.negative, try fixture["objective.0"])
      let objective = bound.objective(beta: beta, freeBits: freeBits)
      expectClose(objective, try fixture["objective.\(place)"])
      network.clearGradients()
      objective.backward()
      for (key, parameter) in network.namedParameters {
        expectClose(
          try #require(parameter.value.gradient), try fixture["objective.\(place)/\(key)"],
          rtol: 1e-4, atol: 1e-4, "objective \(place), \(key)")
      }
    }
  }

  /// Free bits are put to the test: some of the golden divergences lie below the limit.
  @Test(arguments: variational)
  func freeBitsChangeTheGoldenObjective(_ name: String) throws {
    let fixture = try Fixture("models/network_\(name)")
    #expect(try fixture["kl"].min().item() < 0.5)
    #expect(try fixture["objective.2"].item() > fixture["objective.0"].item())
  }

  @Test(arguments: variational, [1, 7])
  func importanceWeightedBoundEqualsPyTorch(_ name: String, _ samples: Int) throws {
    let (network, fixture, x) = try golden(name)
    let bound = network.importanceWeightedBound(
      x, samples: samples, using: Generator(seed: 12))
    expectClose(bound, try fixture["iwae.\(samples)"], rtol: 1e-5, atol: 1e-4)
  }

  @Test(
    arguments: AutoencoderConfig.Kind.allCases, AutoencoderConfig.Architecture.allCases)
  func decodersMirrorEncoders(
    _ kind: AutoencoderConfig.Kind, _ architecture: AutoencoderConfig.Architecture
  ) {
    for (size, levels) in [(28, 2), (32, 3), (17, 4), (64, 2), (4, 2), (1, 0)] {
      for channels in [1, 3] {
        var config = AutoencoderConfig.small(
          kind, architecture, imageSize: size, channels: channels)
        guard levels > 0 || architecture == .mlp else { continue }
        config.blockOutChannels = Array([3, 4, 5, 6].prefix(levels))
        #expect(config.problem == nil)
        let network = Autoencoder(config, using: Generator(seed: 1))
        let x = Tensor.ones([2, channels, size, size])
        let code = network.encode(x)
        #expect(code.shape == [2, 3])
        #expect(network.decode(code).shape == x.shape, "\(size) pixels, \(levels) levels")
      }
    }
  }

  @Test func picturesStayInTheRange() {
    for likelihood in Likelihood.allCases {
      var config = AutoencoderConfig.small(.variational, .conv, imageSize: 8)
      config.likelihood = likelihood
      let network = Autoencoder(config, using: Generator(seed: 1))
      let pictures = network.decode(.randn([50, 3], using: Generator(seed: 2)) * 30)
      #expect(pictures.min().item() >= 0 && pictures.max().item() <= 1)
    }
  }

  @Test func aNetworkToBeLoadedDrawsNothing() {
    let drawn = Autoencoder(.small(.variational, .conv, imageSize: 8), using: Generator(seed: 1))
    let empty = Autoencoder(.small(.variational, .conv, imageSize: 8), using: nil)
    #expect(drawn.state.map(\.key) == empty.state.map(\.key))
    #expect(drawn.state.map(\.tensor.shape) == empty.state.map(\.tensor.shape))
    #expect(drawn.state.first?.key == "encoder.down.0.weight")
  }

  @Test func theClassicNetworkHasItsSize() {
    var config = AutoencoderConfig.small(.variational, .mlp, imageSize: 28)
    (config.hiddenDims, config.latentDim) = ([400], 20)
    // 784·400 + 400 + 400·40 + 40 + 20·400 + 400 + 400·784 + 784
    #expect(Autoencoder(config, using: nil).parameterCount == 652_824)
  }
}
