import Datasets
import Interchange
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten steps of whole trainings of latent diffusion models against PyTorch, diffusers and
/// transformers: first weights, order of the data, captions, posteriors, levels, noise, hidden
/// captions, rates, objective, optimizer and averages, through the trainer's own loop.
@Suite struct LatentDiffusionTenStepTests {
  static let group = "latent_diffusion_training"

  @Test(arguments: ["velocity", "epsilon"])
  func equalsPyTorch(_ name: String) throws {
    let cases = try JSON(
      contentsOfFile: Fixture.folder.appending(path: "\(Self.group)/cases.json").path)
    let run = try #require(cases[name])
    let fixture = try Fixture("\(Self.group)/ten_steps_\(name)")
    var start = LatentDiffusionRecipe()
    start.autoencoder = Fixture.folder.appending(path: "\(Self.group)/vae").path
    var layers = try ConfigLayers(preset: start)
    try layers.overlay(try #require(run["recipe"]), from: name)
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = captionedDiscs(
      count: try number("count"), channels: try number("channels"), size: try number("size"))
    let trainer = try LatentDiffusionTrainer(
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
    func hasGradient(_ key: String) -> Bool { !key.hasSuffix("k_proj.bias") }
    for (key, parameter) in trainer.network.namedParameters where hasGradient(key) {
      let golden = try fixture["final/\(key)"]
      let some = strided(parameter.value.detached()).sliced(0, 0..<golden.count).clone()
      expectClose(some, golden, rtol: 0, atol: 1e-5, key)
    }
    for (key, average) in trainer.learning.average.state where hasGradient(key) {
      let golden = try fixture["average/\(key)"]
      let some = strided(average).sliced(0, 0..<golden.count).clone()
      expectClose(some, golden, rtol: 0, atol: 1e-5, "the average of \(key)")
    }
  }

  @Test func picturesWithoutCaptionsAreRefused() throws {
    var recipe = LatentDiffusionRecipe()
    recipe.autoencoder = Fixture.folder.appending(path: "\(Self.group)/vae").path
    let set = discs(count: 8, channels: 3, size: 16)
    #expect(throws: TrainingError.self) {
      _ = try LatentDiffusionTrainer(recipe, train: set, test: set, seed: 0)
    }
  }
}

/// `discs` with the captions of `captions` in generators/latent_diffusion_training.py.
func captionedDiscs(count: Int, channels: Int, size: Int) -> StoredImages {
  let plain = discs(count: count, channels: channels, size: size)
  let captions = (0..<count).map { index in
    [
      "disc \(index)", "a disc, number \(index % 7)", "원판",
      String(repeating: "bright ", count: index % 4) + "spot",
    ]
  }
  return StoredImages(
    name: "captioned discs", samples: plain.samples, elementShape: plain.elementShape,
    captions: captions.map { $0[0] }, captionChoices: captions.map { [$0[0]] + $0 })
}
