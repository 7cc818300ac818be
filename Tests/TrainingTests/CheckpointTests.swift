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
          == [
            "manifest.json", "network.safetensors", "optimizer.safetensors", "position.json",
          ])
      #expect(newest.damage == nil)
    }
  }

  @Test func keepsTheNewest() throws {
    try withRun { run in
      for step in [5, 10, 99, 100, 1000] {
        try Checkpoint.write(of: run, position: position(step), tensors: state(1))
      }
      #expect(try names(run) == ["step-00000100", "step-00001000"])
      var retention = CheckpointRetention()
      retention.newest = 1
      try Checkpoint.write(of: run, position: position(1001), keeping: retention, tensors: state(1))
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

  @Test func keepsTheBestAndEveryNth() {
    var retention = CheckpointRetention()
    (retention.every, retention.best) = (100, 40)
    #expect(retention.dispensable([40, 60, 80, 110, 120, 140, 150]) == [60, 80, 120])
    #expect(retention.dispensable([7]) == [])
  }

  /// Each byte of each file counts: a damaged checkpoint is named and the one before it is taken.
  @Test(arguments: ["network.safetensors", "optimizer.safetensors", "position.json"])
  func aDamagedOneIsPassedOver(_ file: String) throws {
    try withRun { run in
      for step in [1, 2] {
        try Checkpoint.write(of: run, position: position(step), tensors: state(Double(step)))
      }
      let newest = try #require(Checkpoint.newest(of: run))
      let place = URL(filePath: "\(newest.path)/\(file)")
      let whole = try Data(contentsOf: place)
      func found() -> (step: Int?, told: [String]) {
        var told: [String] = []
        let checkpoint = Checkpoint.newestWhole(of: run) { told.append($1) }
        return (checkpoint?.step, told)
      }
      #expect(found().step == 2)

      var other = whole
      other[other.count - 2] ^= 1
      try other.write(to: place)
      #expect(found().step == 1)
      #expect(found().told == ["\(file) is damaged: its SHA-256 is not that of the manifest"])
      try whole.dropLast().write(to: place)
      #expect(
        found().told == ["\(file) has \(whole.count - 1) bytes instead of \(whole.count)"])
      try FileManager.default.removeItem(at: place)
      #expect(found().step == 1)
      #expect(found().told.first?.hasPrefix("\(file): ") == true)
      try whole.write(to: place)
      #expect(found().step == 2)
      try Data("{".utf8).write(to: URL(filePath: "\(newest.path)/manifest.json"))
      #expect(found().step == 1)
    }
  }

  @Test func weightsThatAreNotFiniteAreNotWritten() throws {
    try withRun { run in
      try Checkpoint.write(of: run, position: position(1), tensors: state(1))
      for value in [Double.nan, .infinity, -.infinity] {
        let error = #expect(throws: TrainingError.self) {
          try Checkpoint.write(of: run, position: position(2), tensors: state(value))
        }
        #expect(error?.sentence.contains("network has numbers in weight that are not") == true)
      }
      #expect(try names(run) == ["step-00000001"])
    }
  }

  /// What is written is the state of the moment at which writing began.
  @Test func writesACopyInTheBackground() throws {
    try withRun { run in
      let writer = CheckpointWriter(run)
      let state = state(4)
      #expect(try writer.collect(waiting: true) == nil)
      writer.begin(state, position: position(3), keeping: CheckpointRetention())
      state[0].state[0].tensor.fill(5)
      #expect(writer.isBusy)
      let written = try #require(try writer.collect(waiting: true))
      #expect(!writer.isBusy)
      #expect(written.damage == nil)
      #expect(
        try written.tensors("network")["weight"]?.elements(as: Float.self) == [4, 4])
      writer.begin(self.state(.nan), position: position(4), keeping: CheckpointRetention())
      #expect(throws: TrainingError.self) { try writer.collect(waiting: true) }
      #expect(!writer.isBusy)
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
