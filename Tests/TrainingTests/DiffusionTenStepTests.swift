import Interchange
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten steps of whole trainings of diffusion models against PyTorch and diffusers: first weights,
/// order of the data, levels, noise, hidden classes, rates, objective, optimizer and averages,
/// through the trainer's own loop.
@Suite struct DiffusionTenStepTests {
  @Test(arguments: ["epsilon", "velocity", "classes", "sample", "flow", "learned"])
  func equalsPyTorch(_ name: String) throws {
    let group = "diffusion_training"
    let cases = try JSON(contentsOfFile: Fixture.folder.appending(path: "\(group)/cases.json").path)
    let run = try #require(cases[name])
    let fixture = try Fixture("\(group)/ten_steps_\(name)")
    var layers = try ConfigLayers(preset: DiffusionRecipe())
    try layers.overlay(try #require(run["recipe"]), from: name)
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = discs(
      count: try number("count"), channels: try number("channels"), size: try number("size"),
      classes: run["classes"]?.int)
    let trainer = try DiffusionTrainer(
      layers.config, train: set, test: set, seed: UInt64(try number("seed")))

    let recorder = Recorder()
    try withScratchFolder { folder in
      let session = TrainingSession(
        run: RunFolder(path: folder), budget: .steps(10), stepsPerEpoch: trainer.stepsPerEpoch,
        observers: [recorder], checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0)
      try trainer.train(session)
    }
    let losses = recorder.reports.map { $0.metrics[0].value }
    expectClose(Tensor(losses), try fixture["losses"], rtol: 1e-5, atol: 1e-7, "losses")
    // Attention is the same whatever is added to all keys, so the bias of keys has no gradient but
    // rounding errors, and Adam makes whole steps of these.
    func hasGradient(_ key: String) -> Bool { !key.hasSuffix("to_k.bias") }
    for (key, parameter) in trainer.network.namedParameters where hasGradient(key) {
      let value = parameter.value.detached()
      let golden = try fixture["final/\(key)"]
      let some = strided(value).sliced(0, 0..<golden.count).clone()
      expectClose(some, golden, rtol: 0, atol: 1e-5, key)
      let whole = value.to(.float64)
      let sums = try fixture["sums/\(key)"]
      let count = Double(value.count)
      #expect(abs(whole.sum().item() - sums[0].item()) <= 1e-6 * count, "the sum of \(key)")
      #expect(
        abs(whole.norm().item() - sums[1].item()) <= 1e-6 * count.squareRoot(), "the norm of \(key)"
      )
    }
    for (key, average) in trainer.learning.average.state where hasGradient(key) {
      let golden = try fixture["average/\(key)"]
      let some = strided(average).sliced(0, 0..<golden.count).clone()
      expectClose(some, golden, rtol: 0, atol: 1e-5, "the average of \(key)")
    }
  }
}
