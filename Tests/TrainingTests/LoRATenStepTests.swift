import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten steps of whole trainings of low-rank changes against peft and diffusers: first factors, order of
/// the data, captions, posteriors, levels, noise, rates, optimizer, through the trainer's own loop.
@Suite struct LoRATenStepTests {
  private func trainer(
    _ name: String, from position: TrainingPosition = TrainingPosition()
  ) throws -> LoRATrainer {
    let runs = try JSON(contentsOfFile: Fixture.folder.appending(path: "lora/runs.json").path)
    let run = try #require(runs[name])
    var start = LoRARecipe()
    start.model = Fixture.folder.appending(path: "text_to_image/\(name)").path
    var layers = try ConfigLayers(preset: start)
    try layers.overlay(try #require(run["recipe"]), from: name)
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = captionedDiscs(
      count: try number("count"), channels: try number("channels"), size: try number("size"))
    return try LoRATrainer(
      layers.config, train: set, test: set, seed: UInt64(try number("seed")), from: position)
  }

  @Test(arguments: ["sd1", "xl"]) func equalsPeft(_ name: String) throws {
    let fixture = try Fixture("lora/run_\(name)")
    let trainer = try trainer(name)
    let recorder = Recorder()
    try withScratchFolder { folder in
      let run = RunFolder(path: folder)
      let session = TrainingSession(
        run: run, budget: .steps(10), stepsPerEpoch: trainer.stepsPerEpoch, observers: [recorder],
        checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0)
      try trainer.train(session)
      let losses = recorder.reports.map { $0.metrics[0].value }
      expectClose(Tensor(losses), try fixture["losses"], rtol: 1e-5, atol: 1e-6, "losses")
      try trainer.export(to: run)
      let written = try Weights.read("\(folder)/\(LoRA.fileName)")
      let golden = fixture.names.filter { $0.hasPrefix("final/") }.map { String($0.dropFirst(6)) }
      #expect(written.keys.sorted() == golden.sorted())
      for (key, tensor) in written {
        expectClose(tensor, try fixture["final/\(key)"], rtol: 1e-3, atol: 2e-4, key)
      }
      // What was written draws what was trained.
      _ = try LoRA(path: folder)
      #expect(try trainer.validate()[0].value.isFinite)
      let sheet = try trainer.sheet()
      #expect(sheet.width > 200 && sheet.height > 200)
    }
  }

  /// A training that is stopped and goes on ends with the factors of one that is not.
  @Test func goesOnWhereItStopped() throws {
    try withScratchFolder { folder in
      func session(
        _ trainer: LoRATrainer, _ observer: Recorder, from position: TrainingPosition,
        _ checkpoints: CheckpointPlan
      ) -> TrainingSession {
        TrainingSession(
          run: RunFolder(path: folder), budget: .steps(6), stepsPerEpoch: trainer.stepsPerEpoch,
          observers: [observer], from: position, checkpoints: checkpoints, sheets: 0,
          reportSeconds: 0)
      }
      let (start, all) = (TrainingPosition(), Recorder())
      let whole = try trainer("sd1")
      try whole.train(session(whole, all, from: start, .atTheEnd))
      let stopped = try trainer("sd1")
      let before = Recorder { event in
        if case .checkpointed(let step, _) = event { step == 4 } else { false }
      }
      #expect(throws: Recorder.Stop.self) {
        try stopped.train(session(stopped, before, from: start, .everyStep))
      }
      let checkpoint = try #require(Checkpoint.newest(of: RunFolder(path: folder)))
      let position = try checkpoint.position()
      let resumed = try trainer("sd1", from: position)
      try resumed.load(checkpoint)
      let after = Recorder()
      try resumed.train(session(resumed, after, from: position, .atTheEnd))
      let losses = (before.reports + after.reports).map { $0.metrics[0].value }
      #expect(losses == all.reports.map { $0.metrics[0].value } && losses.count == 6)
      for ((key, tensor), (_, expected)) in zip(resumed.network.state, whole.network.state) {
        expectEqual(tensor, expected, key)
      }
    }
  }

  @Test func modelsThatCannotBeTrainedAreExplained() throws {
    func sentence(_ change: (inout LoRARecipe) -> Void, size: Int = 32) throws -> String {
      var recipe = LoRARecipe()
      recipe.model = Fixture.folder.appending(path: "text_to_image/sd1").path
      change(&recipe)
      let set = captionedDiscs(count: 4, channels: 3, size: size)
      let error = #expect(throws: (any Error).self) {
        try LoRATrainer(recipe, train: set, test: set, seed: 0)
      }
      return try #require(error as? any ExplainedError).sentence
    }
    #expect(
      try sentence { $0.model = "" }
        == "model is empty; name the folder of a text-to-image model with --model.")
    #expect(try sentence { $0.rank = 0 } == "rank is 0; it must lie in 1...1024.")
    #expect(
      try sentence {
        $0.model = Fixture.folder.appending(path: "text_to_image/inpainting").path
      } == "its U-Net fills masks in, which cannot be trained here; name the model that it was "
        + "made of.")
    #expect(try sentence({ _ in }, size: 20).contains("20 is no multiple of that"))
    #expect(try sentence { $0.model = "/nowhere" }.isEmpty == false)
  }
}
