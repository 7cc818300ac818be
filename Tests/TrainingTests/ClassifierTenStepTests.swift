import Interchange
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten steps of whole trainings of classifiers against PyTorch, through the trainer's own loop, and
/// what the averaged network says in use.
@Suite struct ClassifierTenStepTests {
  @Test(arguments: ["grey", "colour"])
  func equalsPyTorch(_ name: String) throws {
    let cases = try JSON(
      contentsOfFile: Fixture.folder.appending(path: "classifier/cases.json").path)
    let run = try #require(cases[name])
    let fixture = try Fixture("classifier/ten_steps_\(name)")
    let recipe: ClassifierRecipe = try #require(run["recipe"]).decode()
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = discs(
      count: try number("count"), channels: try number("channels"), size: try number("size"),
      classes: try number("classes"))
    let trainer = try ClassifierTrainer(
      recipe, train: set, test: set, seed: UInt64(try number("seed")))

    let recorder = Recorder()
    try withScratchFolder { folder in
      let session = TrainingSession(
        run: RunFolder(path: folder), budget: .steps(10), stepsPerEpoch: trainer.stepsPerEpoch,
        observers: [recorder], checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0)
      try trainer.train(session)
    }
    let reports = recorder.reports.flatMap { $0.metrics.map(\.value) }
    expectClose(
      Tensor(reports).reshaped([10, 2]), try fixture["reports"], rtol: 1e-5, atol: 1e-7, "reports")
    for (key, value) in trainer.network.state {
      let golden = try fixture["final/\(key)"]
      let some = strided(value.detached()).sliced(0, 0..<golden.count).clone()
      expectClose(some, golden, rtol: 1e-5, atol: 1e-5, key)
    }
    try trainer.learning.average.withAverages { () throws in
      trainer.network.setTraining(false)
      defer { trainer.network.setTraining(true) }
      try withoutGradients { () throws in
        let features = trainer.network.features(try set.pictures(0..<8))
        expectClose(features, try fixture["features"], rtol: 1e-4, atol: 2e-5, "features")
        expectClose(
          trainer.network.logits(features), try fixture["logits"], rtol: 1e-4, atol: 2e-5, "logits")
      }
    }
  }

  @Test func dataHasClasses() {
    for (classes, sentence) in [(nil, "this data has none"), (1, "this data has only one")] {
      let set = discs(count: 20, channels: 1, size: 8, classes: classes)
      let error = #expect(throws: TrainingError.self) {
        try ClassifierTrainer(ClassifierRecipe(), train: set, test: set, seed: 0)
      }
      #expect(error?.sentence.contains(sentence) == true, "\(error?.sentence ?? "")")
    }
  }
}
