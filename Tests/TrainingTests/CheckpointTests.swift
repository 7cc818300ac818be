import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Training

@Suite struct CheckpointTests {
  private typealias State = [(file: String, state: [(key: String, tensor: Tensor)])]

  private func withRun(_ body: (RunFolder) throws -> Void) throws {
    try withScratchFolder { scratch in
      let run = RunFolder(path: "\(scratch)/run")
      try run.create(replacing: false)
      try body(run)
    }
  }

  private func names(_ run: RunFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath).sorted()
  }

  private func position(_ step: Int) -> TrainingPosition {
    var position = TrainingPosition()
    (position.step, position.epoch, position.batch) = (step, 2, 1)
    (position.seconds, position.emaUpdates) = (0.1 + Double(step), step)
    return position
  }

  private func state(_ value: Double) -> State {
    [("network", [("weight", .full([2], value))]), ("optimizer", [("step.0", Tensor(value))])]
  }

  @Test func givesBackWhatItWrote() throws {
    try withRun { run in
      #expect(Checkpoint.newest(of: run) == nil)
      let written = try Checkpoint.write(of: run, position: position(1000), tensors: state(4))
      #expect(written.path == "\(run.checkpointsPath)/step-00001000")
      let newest = try #require(Checkpoint.newest(of: run))
      #expect(newest.path == written.path)
      #expect(try newest.position() == position(1000))
      #expect(try newest.tensors("network")["weight"]?.elements(as: Float.self) == [4, 4])
      #expect(try newest.tensors("optimizer")["step.0"]?.item() == 4)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: newest.path).sorted()
          == ["network.safetensors", "optimizer.safetensors", "position.json"])
    }
  }

  @Test func keepsTheNewest() throws {
    try withRun { run in
      for step in [5, 10, 99, 100, 1000] {
        try Checkpoint.write(of: run, position: position(step), tensors: state(1))
      }
      #expect(try names(run) == ["step-00000100", "step-00001000"])
      try Checkpoint.write(of: run, position: position(1001), keep: 1, tensors: state(1))
      #expect(try names(run) == ["step-00001001"])
      #expect(try Checkpoint.newest(of: run)?.position().step == 1001)
    }
  }

  @Test func replacesOneOfTheSameStep() throws {
    try withRun { run in
      for value in [1.0, 2] {
        try Checkpoint.write(of: run, position: position(7), tensors: state(value))
      }
      #expect(try names(run) == ["step-00000007"])
      let network = try #require(Checkpoint.newest(of: run)).tensors("network")
      #expect(network["weight"]?.elements(as: Float.self) == [2, 2])
    }
  }

  /// What a killed process left aside is no checkpoint, and is no obstacle.
  @Test func halfACheckpointIsNone() throws {
    try withRun { run in
      let half = try run.createFolder("checkpoints/.step-00000009.partial")
      try Data().write(to: URL(filePath: "\(half)/stale.safetensors"))
      #expect(Checkpoint.newest(of: run) == nil)
      let written = try Checkpoint.write(of: run, position: position(9), tensors: state(1))
      #expect(try names(run) == ["step-00000009"])
      #expect(!FileManager.default.fileExists(atPath: "\(written.path)/stale.safetensors"))
    }
  }

  @Test func aFailedWriteLeavesTheOlderOnes() throws {
    try withRun { run in
      for step in [1, 2] {
        try Checkpoint.write(of: run, position: position(step), tensors: state(1))
      }
      let twice: State = state(1) + [("ema", [("a", Tensor(1)), ("a", Tensor(2))])]
      #expect(throws: SafetensorsError.self) {
        try Checkpoint.write(of: run, position: position(3), tensors: twice)
      }
      #expect(try names(run) == ["step-00000001", "step-00000002"])
    }
  }

  @Test func damageIsExplained() throws {
    try withRun { run in
      let checkpoint = try Checkpoint.write(of: run, position: position(3), tensors: state(1))
      let path = "\(checkpoint.path)/position.json"
      try Data("{\"step\": \"many\"}".utf8).write(to: URL(filePath: path))
      let error = #expect(throws: JSONError.self) { try checkpoint.position() }
      #expect(error?.path == path)
      #expect(throws: SafetensorsError.self) { try checkpoint.tensors("ema") }
    }
  }

  /// A trainer says which file of a checkpoint does not belong to its network.
  @Test func aTrainerRefusesAnotherNetworksCheckpoint() throws {
    try withRun { run in
      let narrow = VAETrainer(try .small())
      let wide = VAETrainer(try .small(recipe: smallRecipe { $0.latentDim = 4 }))
      let other = try Checkpoint.write(
        of: run, position: position(3), tensors: wide.checkpointState)
      let error = #expect(throws: TrainingError.self) { try narrow.load(other) }
      #expect(error?.path == "\(other.path)/network.safetensors")
      #expect(
        error?.sentence.hasPrefix(
          "this checkpoint does not fit the run's network: 3 weights have another shape: ") == true)

      var state = narrow.checkpointState
      state[3].state = [("noise", .zeros([4]))]
      let blunt = try Checkpoint.write(of: run, position: position(4), tensors: state)
      #expect(throws: TrainingError.self) { try narrow.load(blunt) }

      state = narrow.checkpointState
      state[2].state.removeLast()
      let short = try Checkpoint.write(of: run, position: position(5), tensors: state)
      let missing = #expect(throws: TrainingError.self) { try narrow.load(short) }
      #expect(missing?.path == "\(short.path)/optimizer.safetensors")
    }
  }
}
