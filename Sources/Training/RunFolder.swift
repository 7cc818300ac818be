import Foundation
import Interchange

/// A training's folder: where each of its files stands.
public struct RunFolder: Sendable {
  /// The folder itself.
  public let path: String

  /// The folder at a path, which need not exist.
  public init(path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// The record of what was run.
  public var recordPath: String { "\(path)/run.json" }
  /// The curves as JSON lines.
  public var metricsPath: String { "\(path)/metrics.jsonl" }
  /// The folder of sample sheets.
  public var samplesPath: String { "\(path)/samples" }
  /// The folder of checkpoints.
  public var checkpointsPath: String { "\(path)/checkpoints" }

  /// Makes the folder for a new run.
  ///
  /// Throws `TrainingError` when something is there already, unless `replacing`: then an earlier
  /// run is removed. Nothing but a run or an empty folder is ever removed.
  public func create(replacing: Bool) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: path, isDirectory: &isFolder) {
      let contents = try? files.contentsOfDirectory(atPath: path)
      if !isFolder.boolValue {
        throw TrainingError(path: path, "this is a file; name a folder for the run.")
      }
      if contents?.isEmpty != true {
        guard files.fileExists(atPath: recordPath) else {
          throw TrainingError(
            path: path, "this folder holds other things than a run; choose another one.")
        }
        guard replacing else {
          throw TrainingError(
            path: path,
            "a run is there already; choose another --out, go on with --resume, or replace it "
              + "with --force.")
        }
        // A run that is being trained is not replaced.
        _ = try RunLock(self)
        try attempt("the earlier run cannot be removed") { try files.removeItem(atPath: path) }
      }
    }
    for folder in [path, samplesPath, checkpointsPath] {
      try attempt("the folder cannot be made") {
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      }
    }
  }

  /// Removes the folder of a run that could not begin.
  public func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Makes a folder of the run, such as a network's. Throws `TrainingError`.
  public func createFolder(_ name: String) throws -> String {
    let folder = "\(path)/\(name)"
    try attempt("the folder \(name) cannot be made") {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    return folder
  }

  private func attempt(_ what: String, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      throw TrainingError(
        path: path, "\(what): \((error as NSError).localizedDescription)")
    }
  }
}
