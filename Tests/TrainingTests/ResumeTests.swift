import Foundation
import Models
import TestSupport
import Testing
import Torch

@testable import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A training that goes on is the training that never stopped, to the bit. In processes of their
/// own: threads and signals are the whole process's.
@Suite(.serialized) struct ResumeTests {
  @Test func aKilledTrainingGoesOnExactly() async {
    await #expect(processExitsWith: .success) {
      Runtime.setThreads(1)
      for kind in AutoencoderConfig.Kind.allCases {
        for stop in [6, 7] { try expectExactResume(kind, afterStep: stop) }
      }
    }
  }

  /// A signal ends the training after its step, with a checkpoint and without a judgement.
  @Test func aSignalEndsTheTrainingInOrder() async {
    await #expect(processExitsWith: .success) {
      Interruption.listen()
      try withScratchFolder { folder in
        let trainer = VAETrainer(try .small())
        let recorder = Recorder()
        let sender = Recorder { event in
          if case .stepped(let report) = event, report.step == 2 {
            kill(getpid(), SIGTERM)
            while Interruption.signalNumber == nil { usleep(1000) }
          }
          return false
        }
        let session = session(folder, trainer.training, [recorder, sender])
        try trainer.train(session)
        #expect(session.isInterrupted)
        #expect(try session.finish(trainer).isEmpty)
        #expect(recorder.outline == ["step 1", "step 2", "end 2 interrupted", "checkpoint 2"])
        #expect(Interruption.signalNumber == SIGTERM)
        #expect(try Checkpoint.newest(of: RunFolder(path: folder))?.position().step == 2)
      }
    }
  }
}

private func session(
  _ folder: String, _ training: AutoencoderTraining, _ observers: [any TrainingObserver],
  from position: TrainingPosition = TrainingPosition(), checkpoints: CheckpointPlan = .atTheEnd
) -> TrainingSession {
  TrainingSession(
    run: RunFolder(path: folder), budget: .steps(12), stepsPerEpoch: training.stepsPerEpoch,
    observers: observers, from: position, checkpoints: checkpoints, sheets: 0,
    reportSeconds: 0)
}

/// Twelve steps at once, and twelve steps that an error ends right after a checkpoint.
private func expectExactResume(_ kind: AutoencoderConfig.Kind, afterStep stop: Int) throws {
  let recipe = smallRecipe {
    $0.flip = true
    ($0.emaDecay, $0.klWarmup, $0.gradientClip) = (0.7, 0.75, 1)
    ($0.optimizer, $0.weightDecay) = (.adamw, 0.1)
  }
  func trainer(_ training: AutoencoderTraining) -> any ResumableTrainer {
    kind == .variational ? VAETrainer(training) : AutoencoderTrainer(training)
  }
  try withScratchFolder { folder in
    let whole = trainer(try .small(kind, recipe: recipe))
    let all = Recorder()
    try whole.train(session(folder, whole.training, [all]))

    let killed = trainer(try .small(kind, recipe: recipe))
    let before = Recorder { event in
      if case .checkpointed(let step, _) = event { step == stop } else { false }
    }
    #expect(throws: Recorder.Stop.self) {
      try killed.train(session(folder, killed.training, [before], checkpoints: .everyStep))
    }
    let checkpoint = try #require(Checkpoint.newest(of: RunFolder(path: folder)))
    let position = try checkpoint.position()
    #expect(position.step == stop && position.emaUpdates == stop)
    #expect((position.epoch, position.batch) == (stop / 3, stop % 3))

    let resumed = trainer(try .small(kind, recipe: recipe, from: position))
    try resumed.load(checkpoint)
    let after = Recorder()
    try resumed.train(session(folder, resumed.training, [after], from: position))
    #expect(after.reports.map(\.step) == Array(stop + 1...12))
    let losses = (before.reports + after.reports).map { $0.metrics.map(\.value) }
    #expect(losses == all.reports.map { $0.metrics.map(\.value) })
    #expect(resumed.emaUpdates == 12)
    for (a, b) in zip(whole.checkpointState, resumed.checkpointState) {
      #expect(a.file == b.file && a.state.map(\.key) == b.state.map(\.key))
      for (x, y) in zip(a.state, b.state) {
        expectEqual(y.tensor, x.tensor, "\(a.file) \(x.key), stopped after \(stop)")
      }
    }
    try expectEqual(
      whole.training.nextBatch().x, resumed.training.nextBatch().x, "the next pictures")
  }
}

/// What both families' trainers have.
private protocol ResumableTrainer: Trainer {
  var training: AutoencoderTraining { get }
  func train(_ session: TrainingSession) throws
}
extension AutoencoderTrainer: ResumableTrainer {}
extension VAETrainer: ResumableTrainer {}
