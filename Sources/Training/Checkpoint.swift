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
  /// The best checkpoint so far, where the run keeps it.
  public var best: Best?

  /// A checkpoint and what was measured there.
  public struct Best: Codable, Sendable, Equatable {
    /// Its step.
    public let step: Int
    /// The measure on held-out pictures.
    public let value: Double
  }

  /// The beginning.
  public init() {}
}

/// The state of a training by file: weights, averages, optimizer, generators.
public typealias TrainingState = [(file: String, state: [(key: String, tensor: Tensor)])]

/// Which checkpoints of a run stay when a new one is written.
public struct CheckpointRetention: Sendable, Equatable {
  /// How many of the newest.
  public var newest = 2
  /// The first of every so many steps stays for ever; 0 for none.
  public var every = 0
  /// The step of one that stays in any case.
  public var best: Int?

  /// The newest two.
  public init() {}

  /// Of checkpoints' steps those that need not stay.
  func dispensable(_ steps: [Int]) -> [Int] {
    var spans: Set<Int> = [0]
    return steps.sorted().dropLast(max(newest, 1)).filter { step in
      let isFirst = every > 0 && spans.insert(step / every).inserted
      return step != best && !isFirst
    }
  }
}

/// A folder `checkpoints/step-00001000` from which a training goes on: weights, averages, optimizer,
/// generators, position, and a manifest with the length and SHA-256 of each file.
public struct Checkpoint {
  /// The folder.
  public let path: String
  /// The steps that were done.
  public let step: Int

  private static let manifestName = "manifest.json"

  /// What `manifest.json` says of each file.
  private struct Manifest: Codable {
    struct File: Codable, Equatable {
      let bytes: Int
      let sha256: String

      init(_ path: String) throws(FileError) {
        sha256 = try Fingerprint.ofFile(path)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        bytes = (attributes?[.size] as? NSNumber)?.intValue ?? 0
      }
    }

    var format = 1
    var files: [String: File]
  }

  // MARK: Finding

  /// The checkpoints of a run, the oldest first. They are listed, not read.
  public static func all(of run: RunFolder) -> [Checkpoint] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)) else { return nil }
      return Checkpoint(path: "\(run.checkpointsPath)/\(name)", step: step)
    }.sorted { $0.step < $1.step }
  }

  /// The newest checkpoint of a run, if it has one.
  public static func newest(of run: RunFolder) -> Checkpoint? { all(of: run).last }

  /// The newest checkpoint whose files are those that were written; `damaged` is told of each newer
  /// one that is not, and what is wrong with it.
  public static func newestWhole(
    of run: RunFolder, damaged: (Checkpoint, String) -> Void
  ) -> Checkpoint? {
    for checkpoint in all(of: run).reversed() {
      guard let damage = checkpoint.damage else { return checkpoint }
      damaged(checkpoint, damage)
    }
    return nil
  }

  /// What is wrong with the files, as one sentence; `nil` when each has the length and the SHA-256 of
  /// the manifest. Checkpoints of earlier versions have no manifest and are believed.
  public var damage: String? {
    let path = "\(path)/\(Self.manifestName)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let manifest: Manifest = try JSON(contentsOfFile: path).decode()
      for (name, file) in manifest.files.sorted(by: { $0.key < $1.key }) {
        let found = try Manifest.File("\(self.path)/\(name)")
        if found.bytes != file.bytes {
          return "\(name) has \(found.bytes) bytes instead of \(file.bytes)"
        }
        if found != file { return "\(name) is damaged: its SHA-256 is not that of the manifest" }
      }
      return nil
    } catch let error as FileError {
      return "\(error.path.map { URL(filePath: $0).lastPathComponent } ?? "a file"): "
        + error.sentence.trimmingCharacters(in: ["."])
    } catch {
      return "\(Self.manifestName) cannot be read: \(error)"
    }
  }

  // MARK: Writing

  /// Writes a checkpoint aside and renames it when it is whole and on the disk, then removes those
  /// that need not stay.
  ///
  /// Throws `FileError` or `TrainingError` when the disk refuses or a weight is not finite; older
  /// ones stay then.
  @discardableResult
  public static func write(
    of run: RunFolder, position: TrainingPosition,
    keeping retention: CheckpointRetention = CheckpointRetention(), tensors: TrainingState
  ) throws -> Checkpoint {
    let files = FileManager.default
    let name = folderName(position.step)
    let target = Checkpoint(path: "\(run.checkpointsPath)/\(name)", step: position.step)
    let aside = "\(run.checkpointsPath)/.\(name).partial"
    let former = "\(run.checkpointsPath)/.\(name).former"
    try? files.removeItem(atPath: aside)
    do {
      _ = try run.createFolder("checkpoints/.\(name).partial")
      var manifest = Manifest(files: [:])
      for (file, state) in tensors {
        let path = "\(aside)/\(file).safetensors"
        try requireFinite(state, of: file, run)
        try Weights.write(state, to: path)
        manifest.files["\(file).safetensors"] = try Manifest.File(path)
      }
      let path = "\(aside)/position.json"
      try JSON(encoding: position).write(to: path)
      manifest.files["position.json"] = try Manifest.File(path)
      try JSON(encoding: manifest).write(to: "\(aside)/\(manifestName)")
      if files.fileExists(atPath: target.path) {
        try? files.removeItem(atPath: former)
        try files.moveItem(atPath: target.path, toPath: former)
      }
      try files.moveItem(atPath: aside, toPath: target.path)
      AtomicFile.syncFolder(run.checkpointsPath)
      try? files.removeItem(atPath: former)
    } catch {
      try? files.removeItem(atPath: aside)
      guard let error = error as? FileError else { throw error }
      let reason = error.sentence.replacing("it cannot be written: ", with: "")
      throw TrainingError(
        path: run.path,
        "the checkpoint of step \(position.step) cannot be written: \(reason)"
          + (newest(of: run).map {
            " The one of step \($0.step) is whole; go on from it with --resume."
          } ?? ""))
    }
    let known = all(of: run)
    let dispensable = Set(retention.dispensable(known.map(\.step)))
    for old in known where dispensable.contains(old.step) {
      try? files.removeItem(atPath: old.path)
    }
    return target
  }

  /// Removes what a process that was killed left half written.
  public static func removeRemains(of run: RunFolder) {
    let files = FileManager.default
    let names = (try? files.contentsOfDirectory(atPath: run.checkpointsPath)) ?? []
    for name in names where name.hasPrefix(".step-") {
      try? files.removeItem(atPath: "\(run.checkpointsPath)/\(name)")
    }
  }

  private static func folderName(_ step: Int) -> String {
    let number = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - number.count)) + number
  }

  private static func requireFinite(
    _ state: [(key: String, tensor: Tensor)], of file: String, _ run: RunFolder
  ) throws {
    for (key, tensor) in state where tensor.dtype.isFloatingPoint && tensor.count > 0 {
      let largest = [tensor.detached()].totalNorm(p: .infinity)
      guard !largest.item().isFinite else { continue }
      throw TrainingError(
        path: run.path,
        "the checkpoint was not written, because \(file) has numbers in \(key) that are not finite; "
          + "the checkpoints before it are whole.")
    }
  }

  // MARK: Reading

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

/// Writes checkpoints on a thread of its own while the training goes on.
///
/// The tensors are copied before `begin` returns; that is all that the training waits for. The copies'
/// memory is kept from one checkpoint to the next, because what costs most about new memory is that
/// the system hands it out page by page.
final class CheckpointWriter {
  /// What is written: copies that nobody else holds, which is what makes it safe to hand them over.
  private struct Content: @unchecked Sendable {
    let position: TrainingPosition
    let tensors: TrainingState
  }

  private let run: RunFolder
  private let queue = DispatchQueue(label: "latent.checkpoints")
  /// Of the checkpoint that is being written, and only touched on the queue.
  private final class Outcome: @unchecked Sendable {
    var result: Result<Checkpoint, any Error>?
  }
  private var outcome: Outcome?
  private let written = DispatchSemaphore(value: 0)
  /// Where tensors are copied to, by file and key; touched by the queue, or while it has nothing to do.
  private final class Room: @unchecked Sendable {
    var tensors: [String: Tensor] = [:]
  }
  private let room = Room()

  init(_ run: RunFolder) { self.run = run }

  /// Whether a checkpoint is being written.
  var isBusy: Bool { outcome != nil }

  /// Makes room for a state's copies, beside the training.
  func prepare(_ state: TrainingState) {
    // Shapes and layouts are all that is read of the tensors.
    let content = Content(position: TrainingPosition(), tensors: state)
    queue.async { [room] in
      Runtime.onOneThread {
        withoutGradients {
          for (file, state) in content.tensors {
            for (key, tensor) in state where tensor.device == .cpu {
              room.tensors["\(file)/\(key)"] = .zeros(like: tensor.detached())
            }
          }
        }
      }
    }
  }

  /// A copy of a tensor, in the room that there is for it.
  private func copied(_ tensor: Tensor, _ name: String) -> Tensor {
    let source = tensor.detached()
    guard let place = room.tensors[name], place.shape == source.shape, place.dtype == source.dtype
    else {
      let copy = source.to(.cpu).clone()
      room.tensors[name] = copy
      return copy
    }
    place.copy(from: source)
    return place
  }

  /// Begins to write; one that is being written has to be collected first.
  func begin(
    _ state: TrainingState, position: TrainingPosition, keeping retention: CheckpointRetention
  ) {
    precondition(outcome == nil, "one checkpoint after the other")
    queue.sync {}  // The room is made.
    let content = Content(
      position: position,
      tensors: withoutGradients {
        state.map { file, state in
          (file, state.map { ($0.key, copied($0.tensor, "\(file)/\($0.key)")) })
        }
      })
    let outcome = Outcome()
    self.outcome = outcome
    queue.async { [run, written] in
      outcome.result = Runtime.onOneThread {
        Result {
          try Checkpoint.write(
            of: run, position: content.position, keeping: retention, tensors: content.tensors)
        }
      }
      written.signal()
    }
  }

  /// The checkpoint that was begun, when it is whole: at once if `waiting`, else only if it is by now.
  /// Throws what writing threw.
  func collect(waiting: Bool) throws -> Checkpoint? {
    guard let outcome else { return nil }
    guard written.wait(timeout: waiting ? .distantFuture : .now()) == .success else { return nil }
    self.outcome = nil
    return try outcome.result?.get()
  }
}
