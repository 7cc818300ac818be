import Datasets
import Interchange
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten alternating steps of whole games against PyTorch, from the same weights, through the trainer's
/// own loop.
@Suite struct AdversarialTenStepTests {
  @Test(arguments: ["dcgan", "dcgan_classes", "wgan_gp", "wgan", "r3gan"])
  func equalsPyTorch(_ name: String) throws {
    let golden = try Golden(name)
    let recipe: GANRecipe = try golden.recipe()
    let trainer = try GANTrainer(
      recipe, train: golden.set, test: golden.set, seed: golden.seed)
    try golden.check(
      trainer,
      players: [("generator", trainer.generator), ("discriminator", trainer.discriminator)],
      reports: ["discriminator_loss", "generator_loss", "penalty"])
    for (key, average) in trainer.generating.average.state
    where golden.fixture.contains("average/\(key)") {
      let expected = try golden.fixture["average/\(key)"]
      expectClose(
        strided(average).sliced(0, 0..<expected.count).clone(), expected, rtol: 1e-5, atol: 1e-5,
        "average \(key)")
    }
  }

  @Test(arguments: ["vae_gan", "vae_gan_perceptual"])
  func mixedEqualsPyTorch(_ name: String) throws {
    let golden = try Golden(name)
    let recipe: VAEGANRecipe = try golden.recipe()
    let trainer = try VAEGANTrainer(
      recipe, train: golden.set, test: golden.set, seed: golden.seed)
    try golden.check(
      trainer,
      players: [("autoencoder", trainer.autoencoder), ("discriminator", trainer.discriminator)],
      reports: ["discriminator_loss", "likeness", "kl", "generator_loss", "adversarial_weight"])
  }
}

/// A game of generators/adversarial_training.py.
private struct Golden {
  let fixture: Fixture
  let set: StoredImages
  let seed: UInt64
  private let run: JSON

  init(_ name: String) throws {
    let cases = try JSON(
      contentsOfFile: Fixture.folder.appending(path: "adversarial_training/cases.json").path)
    let run = try #require(cases[name])
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    fixture = try Fixture("adversarial_training/\(name)")
    set = discs(
      count: try number("count"), channels: try number("channels"), size: try number("size"),
      classes: try number("classes"))
    seed = UInt64(try number("seed"))
    self.run = run
  }

  func recipe<Recipe: TrainingRecipe>() throws -> Recipe {
    try Recipe(recorded: #require(run["recipe"]))
  }

  /// Ten steps from PyTorch's first weights; reports and last weights are PyTorch's.
  func check(
    _ trainer: any Trainer, players: [(name: String, network: Module)], reports names: [String]
  ) throws {
    for (player, network) in players {
      let prefix = "start/\(player)/"
      try network.load(
        Dictionary(
          uniqueKeysWithValues: fixture.names.filter { $0.hasPrefix(prefix) }.map {
            (String($0.dropFirst(prefix.count)), try fixture[$0])
          }))
    }

    let recorder = Recorder()
    try withScratchFolder { folder in
      let session = TrainingSession(
        run: RunFolder(path: folder), budget: .steps(10), stepsPerEpoch: trainer.stepsPerEpoch,
        observers: [recorder], checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0)
      try trainer.train(session)
    }
    let reports = recorder.reports.flatMap { report in
      names.map { name in report.metrics.first { $0.name == name }?.value ?? 0 }
    }
    expectClose(
      Tensor(reports).reshaped([10, names.count]), try fixture["reports"], rtol: 1e-5, atol: 1e-6,
      "reports")
    for (player, network) in players {
      for (key, value) in network.state {
        expectClose(
          strided(value.detached()), try fixture["final/\(player)/\(key)"], rtol: 1e-5,
          atol: 1e-5, "\(player) \(key)")
      }
    }
  }
}
