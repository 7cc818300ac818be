import Datasets
import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Training

@Suite struct SessionTests {
  private func session(
    _ folder: String, _ trainer: VAETrainer, _ observers: [any TrainingObserver], steps: Int,
    sheets: Int = 0, reportSeconds: Double = 0
  ) throws -> TrainingSession {
    let run = RunFolder(path: folder)
    try run.create(replacing: true)
    return TrainingSession(
      run: run, budget: .steps(steps), stepsPerEpoch: trainer.training.stepsPerEpoch,
      observers: observers, checkpoints: .atTheEnd, sheets: sheets,
      reportSeconds: reportSeconds)
  }

  @Test func tellsWhatHappensInOrder() throws {
    try withScratchFolder { folder in
      let trainer = VAETrainer(try .small())
      let recorder = Recorder()
      let session = try session(folder, trainer, [recorder], steps: 4, sheets: 2)
      try trainer.train(session)
      let measures = try session.finish(trainer)
      #expect(
        recorder.outline == [
          "step 1", "step 2", "sheet 2", "step 3", "step 4", "sheet 4", "end 4", "checkpoint 4",
          "validation 4",
        ])
      #expect(recorder.reports.map(\.epoch) == [0, 0, 1, 1])
      #expect(recorder.reports.map(\.progress) == [0.25, 0.5, 0.75, 1])
      #expect(recorder.reports.allSatisfy { $0.rate > 0 && $0.metrics[0].name == "loss" })
      #expect(measures.map(\.name) == ["negative_elbo", "reconstruction", "kl"])
      #expect(abs(measures[0].value - measures[1].value - measures[2].value) < 1e-6)
      #expect(session.progress == 1 && session.isDone && !session.isInterrupted)
      #expect(session.imagesPerSecond > 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/samples")
      #expect(names.sorted() == ["step-00000002.png", "step-00000004.png"])

      // The network for sampling has the averaged weights.
      let network = try Autoencoder(folder: "\(folder)/vae")
      for (saved, average) in zip(network.state, trainer.learning.average.state) {
        #expect(saved.key == average.key)
        expectEqual(saved.tensor, average.tensor, saved.key)
      }
      #expect(
        zip(network.parameters, trainer.training.network.parameters).contains {
          $0.value.elements(as: Float.self) != $1.value.elements(as: Float.self)
        })
    }
  }

  @Test func reportsTheMeanOfTheStepsBetween() throws {
    try withScratchFolder { folder in
      let (each, all) = (Recorder(), Recorder())
      for (recorder, seconds) in [(each, 0), (all, .infinity)] {
        let trainer = VAETrainer(try .small())
        try trainer.train(
          session("\(folder)/\(seconds)", trainer, [recorder], steps: 5, reportSeconds: seconds))
      }
      #expect(all.outline == ["step 5"])
      for place in 0..<3 {
        let mean = each.reports.reduce(0) { $0 + $1.metrics[place].value } / 5
        #expect(abs(all.reports[0].metrics[place].value - mean) < 1e-9 * abs(mean))
      }
    }
  }

  @Test func curvesAreWritten() throws {
    try withScratchFolder { folder in
      let trainer = VAETrainer(try .small())
      let run = RunFolder(path: folder)
      try run.create(replacing: false)
      let recorder = Recorder()
      let session = TrainingSession(
        run: run, budget: .steps(3), stepsPerEpoch: 3,
        observers: [recorder, try MetricsObserver(run: run), try TensorBoardObserver(run: run)],
        checkpoints: .atTheEnd, sheets: 1, reportSeconds: 0)
      try trainer.train(session)
      let measures = try session.finish(trainer)

      let lines = try MetricsLog.read(run.metricsPath)
      #expect(lines.map { $0["step"]?.int } == [1, 2, 3, 3])
      let keys = [
        "data_wait", "epoch", "kl", "loss", "rate", "reconstruction", "seconds", "step",
      ]
      for (line, report) in zip(lines, recorder.reports) {
        #expect(line.keys.sorted() == keys)
        #expect(line["epoch"]?.int == report.epoch)
        #expect(line["seconds"]?.double == report.seconds)
        #expect(line["data_wait"]?.double == report.dataWait && (0...1).contains(report.dataWait))
        for (name, value) in report.metrics { #expect(line[name]?.double == value) }
      }
      #expect(lines[3].keys.count == 4)
      for (name, value) in measures {
        #expect(lines[3]["validation_\(name)"]?.double == value)
      }

      let events = try #require(
        FileManager.default.contentsOfDirectory(atPath: folder)
          .first { $0.hasPrefix("events.out.tfevents") })
      let bytes = try Data(contentsOf: URL(filePath: "\(folder)/\(events)"))
      let tags = [
        "train/loss", "train/kl", "speed/rate", "validation/negative_elbo", "samples",
        "weights/encoder.",
      ]
      for tag in tags {
        #expect(bytes.range(of: Data(tag.utf8)) != nil, "\(tag)")
      }
    }
  }

  /// A poisoned weight poisons every step; nothing is written then.
  @Test func weightsThatAreNotFiniteStop() throws {
    try withScratchFolder { folder in
      let trainer = VAETrainer(try .small())
      let recorder = Recorder()
      let session = try session(folder, trainer, [recorder], steps: 50)
      withoutGradients { trainer.training.network.parameters[0].value.fill(Double.nan) }
      let error = #expect(throws: TrainingError.self) { try trainer.train(session) }
      #expect(error?.path == folder)
      #expect(error?.sentence.hasPrefix("the checkpoint was not written") == true)
      #expect(session.position.step == 10)
      #expect(Checkpoint.newest(of: RunFolder(path: folder)) == nil)
    }
  }

  /// A step whose gradient is not finite moves nothing; ten in a row stop the training with its last
  /// good weights kept.
  @Test(arguments: [2, 10])
  func stepsThatAreNotFiniteAreLeftOut(_ count: Int) throws {
    try withScratchFolder { folder in
      let trainer = VAETrainer(try .small())
      let recorder = Recorder()
      let run = RunFolder(path: folder)
      let session = try session(folder, trainer, [recorder], steps: 20)
      let network = trainer.training.network
      let learning = trainer.learning
      func weights() -> [[Float]] { network.state.map { $0.tensor.elements(as: Float.self) } }
      var before: [[Float]] = []
      func play() throws {
        for step in 0..<20 {
          guard !session.isDone else { break }
          let bad = (5..<5 + count).contains(step)
          let x = try trainer.training.nextBatch().x * (bad ? Double.nan : 1)
          let loss = network.meanReconstructionLoss(
            x, output: network.decodeOutput(network.posterior(x).mean))
          if step == 5 { before = weights() }
          let norm = try learning.descend(loss, step: step, progress: 0)
          if bad { #expect(weights() == before) }
          try session.completeStep(
            trainer, samples: x.size(0), metrics: [("loss", loss.item())] + norm)
        }
      }
      if count == 10 {
        let error = #expect(throws: TrainingError.self) { try play() }
        #expect(error?.sentence.hasPrefix("10 steps in a row were not finite") == true)
        let kept = try #require(Checkpoint.newest(of: run))
        #expect(kept.step == 15)
        let tensors = try kept.tensors("network")
        #expect(network.state.map { tensors[$0.key]?.elements(as: Float.self) } == before)
      } else {
        try play()
        #expect(weights() != before)
        #expect(recorder.reports.last?.metrics.last?.name == "skipped_steps")
        #expect(recorder.reports.last?.metrics.last?.value == 2)
        #expect(recorder.reports.allSatisfy { $0.metrics.allSatisfy(\.value.isFinite) })
      }
      #expect(recorder.outline.count { $0.hasPrefix("warning") } == 1)
    }
  }

  @Test(arguments: [
    (TrainingBudget.steps(10), 5, 0.5), (.steps(10), 20, 1), (.steps(0), 1, 1),
    (.epochs(2), 5, 0.625), (.epochs(0), 0, 0), (.epochs(.max), 4, 0),
    (.minutes(2), 5, 0.25), (.minutes(0.25), 5, 1), (.minutes(0), 5, 1),
  ])
  func budgetsTellTheShareThatIsDone(_ budget: TrainingBudget, _ step: Int, _ share: Double) {
    let progress = budget.progress(step: step, seconds: 30, stepsPerEpoch: 4)
    #expect(abs(progress - share) < 1e-12)
  }

  @Test(arguments: [TrainingBudget.steps(3), .epochs(4), .minutes(0.5)])
  func budgetsGoRoundAsJSON(_ budget: TrainingBudget) throws {
    let decoded: TrainingBudget = try JSON(encoding: budget).decode()
    #expect(decoded == budget)
  }

  @Test func theWeightOfTheDivergenceWarmsUp() throws {
    let recipe = smallRecipe { ($0.beta, $0.klWarmup) = (4, 0.5) }
    let trainer = VAETrainer(try .small(recipe: recipe))
    #expect([0, 0.125, 0.25, 0.5, 1].map(trainer.beta) == [0, 1, 2, 4, 4])
    let plain = VAETrainer(try .small(recipe: smallRecipe { ($0.beta, $0.klWarmup) = (3, 0) }))
    #expect([0, 1].map(plain.beta) == [3, 3])
  }

  @Test func memoryThatIsNotThereIsTold() {
    let need = MemoryNeed(parameters: 100_000_000)
    #expect(need.bytes == 2_800_000_000)
    #expect(need.problem(available: 3_000_000_000) == nil)
    let problem = need.problem(available: 1_200_000_000)
    #expect(problem?.contains("100000000 parameters need 2.8 GB, and 1.2 GB are free") == true)
  }
}
