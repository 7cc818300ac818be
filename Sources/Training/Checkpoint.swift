import Foundation
import Interchange
import Models
import NeuralNets
import Torch

/// Where a training stands, apart from its tensors.
public struct TrainingPosition: Codable, Sendable, Equatable {
  /// Steps done.
  public var step = 0
  /// The pass over the data, from 0.
  public var epoch = 0
  /// Batches done in this pass.
  public var batch = 0
  /// Seconds of training.
  public var seconds = 0.0
  /// Updates of the averaged weights.
  public var emaUpdates = 0

  /// The beginning.
  public init() {}
}

/// A folder `checkpoints/step-00001000` from which a training goes on: weights, averages, optimizer,
/// generators and position.
public struct Checkpoint {
  /// The folder.
  public let path: String

  /// The newest whole checkpoint of a run, if it has one.
  public static func newest(of run: RunFolder) -> Checkpoint? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath)) ?? []
    return names.filter { $0.hasPrefix("step-") }.max().map {
      Checkpoint(path: "\(run.checkpointsPath)/\($0)")
    }
  }

  /// Writes a checkpoint aside and renames it when it is whole, then removes all but the newest
  /// `keep`. Throws `FileError` or `TrainingError` when the disk refuses; older ones stay then.
  @discardableResult
  public static func write(
    of run: RunFolder, position: TrainingPosition, keep: Int = 2,
    tensors: [(file: String, state: [(key: String, tensor: Tensor)])]
  ) throws -> Checkpoint {
    let files = FileManager.default
    let number = String(position.step)
    let name = "step-" + String(repeating: "0", count: max(0, 8 - number.count)) + number
    let target = "\(run.checkpointsPath)/\(name)"
    let aside = "\(run.checkpointsPath)/.\(name).partial"
    try? files.removeItem(atPath: aside)
    do {
      _ = try run.createFolder("checkpoints/.\(name).partial")
      for (file, state) in tensors {
        try Weights.write(state, to: "\(aside)/\(file).safetensors")
      }
      try JSON(encoding: position).write(to: "\(aside)/position.json")
      if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
      try files.moveItem(atPath: aside, toPath: target)
    } catch {
      try? files.removeItem(atPath: aside)
      throw error
    }
    let names = try files.contentsOfDirectory(atPath: run.checkpointsPath)
    for old in names.filter({ $0.hasPrefix("step-") }).sorted().dropLast(keep) {
      try? files.removeItem(atPath: "\(run.checkpointsPath)/\(old)")
    }
    return Checkpoint(path: target)
  }

  /// Where the training stood. Throws `JSONError`.
  public func position() throws -> TrainingPosition {
    let path = "\(path)/position.json"
    let position: TrainingPosition
    do {
      position = try JSON(contentsOfFile: path).decode()
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    let counts = [position.step, position.epoch, position.batch, position.emaUpdates]
    guard counts.allSatisfy((0...1 << 53).contains), (0...1e12).contains(position.seconds) else {
      throw JSONError(path: path, sentence: "its numbers are no position in a training.")
    }
    return position
  }

  /// The tensors of one file. Throws `SafetensorsError`.
  public func tensors(_ file: String) throws -> [String: Tensor] {
    try Weights.read("\(path)/\(file).safetensors")
  }
}
