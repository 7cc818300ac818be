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
    let cases = try JSON(
      contentsOfFile: Fixture.folder.appending(path: "adversarial_training/cases.json").path)
    let run = try #require(cases[name])
    let fixture = try Fixture("adversarial_training/\(name)")
    let recipe: GANRecipe = try #require(run["recipe"]).decode()
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = discs(
      count: try number("count"), channels: try number("channels"), size: try number("size"),
      classes: try number("classes"))
    let trainer = try GANTrainer(recipe, train: set, test: set, seed: UInt64(try number("seed")))
    let players: [(name: String, network: Module)] = [
      ("generator", trainer.generator), ("discriminator", trainer.discriminator),
    ]
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
        observers: [recorder], checkpointSeconds: .infinity, sheets: 0, reportSeconds: 0)
      try trainer.train(session)
    }
    let reports = recorder.reports.flatMap { report in
      ["discriminator_loss", "generator_loss", "penalty"].map { name in
        report.metrics.first { $0.name == name }?.value ?? 0
      }
    }
    expectClose(
      Tensor(reports).reshaped([10, 3]), try fixture["reports"], rtol: 1e-5, atol: 1e-6, "reports")
    for (player, network) in players {
      for (key, value) in network.state {
        expectClose(
          strided(value.detached()), try fixture["final/\(player)/\(key)"], rtol: 1e-5,
          atol: 1e-5, "\(player) \(key)")
      }
    }
    for (key, average) in trainer.generating.average.state where fixture.contains("average/\(key)")
    {
      let golden = try fixture["average/\(key)"]
      expectClose(
        strided(average).sliced(0, 0..<golden.count).clone(), golden, rtol: 1e-5, atol: 1e-5,
        "average \(key)")
    }
  }
}
