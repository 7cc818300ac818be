import Foundation
import Interchange
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Models

/// Generators and discriminators against PyTorch, from folders with the keys that they have to have.
@Suite struct AdversarialNetworkTests {
  static let plain = [
    "mlp_points", "mlp", "mlp_spectral", "dcgan", "dcgan_classes", "dcgan_plain",
    "dcgan_spectral", "sngan", "sngan_classes", "r3gan", "r3gan_classes",
  ]

  private func folder(_ name: String) -> String {
    Fixture.folder.appending(path: "adversarial_networks/\(name)").path
  }

  private func golden(_ name: String) throws -> (fixture: Fixture, x: Tensor, labels: Tensor?) {
    let fixture = try Fixture("adversarial_networks/\(name)/golden")
    let x = try fixture["x"]
    x.requiresGradient = true
    return (fixture, x, fixture.contains("labels") ? try fixture["labels"] : nil)
  }

  /// Outputs in training, all gradients, the buffers after that pass, and outputs in use.
  private func check(
    _ network: Module, _ fixture: Fixture, _ x: Tensor, outputs: () -> [(String, Tensor)]
  ) throws {
    let found = outputs()
    for (key, out) in found {
      expectClose(out.detached(), try fixture["out.\(key)"], rtol: 1e-5, atol: 2e-6, key)
    }
    found.map { ($1 * GoldenCase.weights(like: $1)).sum() }.reduce(Tensor(0), +).backward()
    expectClose(
      try #require(x.gradient), try fixture["x.grad"], rtol: 1e-4, atol: 2e-5, "x")
    let parameters = network.namedParameters
    #expect(parameters.count == fixture.names.filter { $0.hasPrefix("grad.") }.count)
    for (key, parameter) in parameters {
      let golden = try fixture["grad.\(key)"]
      // The sums over batch and picture behind a gradient reach far beyond 1.
      let size = max(1, golden.abs().max().item())
      expectClose(
        try #require(parameter.value.gradient), golden, rtol: 1e-5, atol: 1e-5 * size, key)
    }
    for (key, buffer) in network.namedBuffers {
      expectClose(buffer.value, try fixture["after.\(key)"], rtol: 1e-5, atol: 1e-6, key)
    }
    network.setTraining(false)
    for (key, out) in outputs() {
      expectClose(out.detached(), try fixture["use.\(key)"], rtol: 1e-5, atol: 2e-6, "use \(key)")
    }
  }

  @Test(arguments: plain)
  func generatorsEqualPyTorch(_ name: String) throws {
    let (fixture, z, labels) = try golden("\(name)_generator")
    let network = try GeneratorNetwork(folder: folder("\(name)_generator"))
    try check(network, fixture, z) { [("samples", network(z, labels: labels))] }
  }

  @Test(arguments: plain + ["patch", "patch_plain"])
  func discriminatorsEqualPyTorch(_ name: String) throws {
    let (fixture, x, labels) = try golden("\(name)_discriminator")
    let network = try DiscriminatorNetwork(folder: folder("\(name)_discriminator"))
    try check(network, fixture, x) {
      let seen = network.scoresAndFeatures(x, labels: labels)
      return [("scores", seen.scores), ("features", seen.features)]
    }
  }

  @Test(arguments: plain)
  func foldersComeBack(_ name: String) throws {
    let network = try GeneratorNetwork(folder: folder("\(name)_generator"))
    try withScratchFolder { scratch in
      try network.save(to: scratch)
      let again = try GeneratorNetwork(folder: scratch)
      #expect(again.config == network.config)
      for (mine, its) in zip(network.state, again.state) {
        #expect(mine.key == its.key)
        expectEqual(mine.tensor, its.tensor, mine.key)
      }
      #expect(throws: JSONError.self) { try DiscriminatorNetwork(folder: scratch) }
    }
  }

  /// R3GAN's blocks start as the identity, so the untrained networks are finite at any depth.
  @Test func startsAreSound() {
    for architecture in [GANConfig.Architecture.mlp, .dcgan, .sngan, .r3gan] {
      var config = GANConfig(
        kind: .generator, architecture: architecture, imageSize: 16, channels: 3, latentDim: 8,
        hiddenDims: [32], blockOutChannels: [8, 16, 16], layersPerBlock: 3)
      let generator = GeneratorNetwork(config, using: Generator(seed: 0))
      let x = generator(.randn([16, 8], using: Generator(seed: 1)))
      #expect(x.shape == [16, 3, 16, 16])
      let size = x.square().mean().sqrt().item()
      #expect((1e-4..<5).contains(size), "\(architecture): \(size)")
      config.kind = .discriminator
      let discriminator = DiscriminatorNetwork(config, using: Generator(seed: 2))
      let scores = discriminator(x)
      #expect(scores.shape == [16])
      #expect(scores.abs().max().item() < 20, "\(architecture)")
      #expect(generator.parameters.allSatisfy { $0.value.isFinite().all().item() == 1 })
    }
  }

  @Test(arguments: [
    ("channels", 9), ("latent_dim", 0), ("class_count", -1), ("layers_per_block", 99),
    ("image_size", 30), ("image_size", 4),
  ])
  func impossibleShapesAreNamed(_ key: String, _ value: Int) throws {
    let config = GANConfig(
      kind: .generator, architecture: .dcgan, imageSize: 28, channels: 1, latentDim: 8)
    #expect(config.problem == nil)
    var json = try #require(try JSON(encoding: config).object)
    json[key] = .int(value)
    let changed: GANConfig = try JSON.object(json).decode()
    #expect(changed.problem?.contains(key) == true, "\(changed.problem ?? "no problem")")
  }

  @Test func hugeNetworksAreRefused() {
    let config = GANConfig(
      kind: .generator, architecture: .mlp, imageSize: 1024, channels: 4, latentDim: 8,
      hiddenDims: [8192])
    #expect(config.problem?.contains("weights") == true)
    let points = GANConfig(
      kind: .generator, architecture: .dcgan, imageSize: 0, channels: 2, latentDim: 8)
    #expect(points.problem?.contains("mlp") == true)
  }
}
