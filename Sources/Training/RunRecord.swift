import Foundation
import Interchange
import Torch

/// `run.json`: what was run, on what, with what, and how it came out.
public struct RunRecord: Codable, Sendable {
  /// The data of a run.
  public struct DataSource: Codable, Sendable, Equatable {
    /// The name or path that was given.
    public var name: String
    /// Samples in the training part.
    public var count: Int
    /// SHA-256 over the training part.
    public var fingerprint: String
    /// Pixels along each side.
    public var imageSize: Int
    /// 1 for grey, 3 for colour.
    public var channels: Int
    /// The classes' names, where the data has classes; earlier versions wrote none.
    public var classNames: [String]?
    /// How shards are read, where the data comes in shards.
    public var shards: ShardReading?

    /// What decides the order and the pictures of a set in shards, beside seed and files.
    public struct ShardReading: Codable, Sendable, Equatable {
      /// The samples that are shuffled among each other.
      public var shuffleBuffer: Int
      /// Whether pictures of other sizes are brought to the one of the set.
      public var isFitted: Bool

      /// Both.
      public init(shuffleBuffer: Int, isFitted: Bool) {
        (self.shuffleBuffer, self.isFitted) = (shuffleBuffer, isFitted)
      }
    }

    /// All fields.
    public init(
      name: String, count: Int, fingerprint: String, imageSize: Int, channels: Int,
      classNames: [String]? = nil
    ) {
      self.name = name
      self.count = count
      self.fingerprint = fingerprint
      self.imageSize = imageSize
      self.channels = channels
      self.classNames = classNames
    }
  }

  /// The versions and the machine.
  public struct Surroundings: Codable, Sendable {
    /// This tool's version.
    public var latent = latentVersion
    /// libtorch's version.
    public var torch = Runtime.version
    /// The operating system.
    public var system = ProcessInfo.processInfo.operatingSystemVersionString
    /// Processors of the machine.
    public var processors = ProcessInfo.processInfo.activeProcessorCount
    /// The vector instructions in use.
    public var cpuCapability = Runtime.cpuCapability
    /// Threads that one operation may use.
    public var threads = Runtime.threads

    /// Those of this process.
    public init() {}
  }

  /// Where a run stands.
  public enum Status: String, Codable, Sendable {
    /// Begun and not ended, or killed.
    case running
    /// Stopped by a signal; `--resume` goes on.
    case interrupted
    /// At the end of its budget.
    case finished
  }

  /// The family, as `latent train` names it.
  public var family: String
  /// The command as it was typed.
  public var command: [String]
  /// Every setting of the family's recipe.
  public var config: JSON
  /// The seed of everything that is drawn.
  public var seed: UInt64
  /// The data.
  public var data: DataSource
  /// Versions and machine.
  public var surroundings: Surroundings
  /// In what numbers it is trained, where that is not float32.
  public var precision: Precision?
  /// How long it was to last.
  public var budget: TrainingBudget?
  /// Where the run stands.
  public var status: Status
  /// When it began, ISO 8601.
  public var started: String
  /// Steps done.
  public var steps: Int
  /// Seconds of training.
  public var seconds: Double
  /// The last measures on held-out pictures, by name.
  public var result: [String: Double]

  /// A run that begins now.
  public init(
    family: String, command: [String], config: JSON, seed: UInt64, data: DataSource
  ) {
    self.family = family
    self.command = command
    self.config = config
    self.seed = seed
    self.data = data
    surroundings = Surroundings()
    status = .running
    started = Date.now.ISO8601Format()
    steps = 0
    seconds = 0
    result = [:]
  }

  /// Reads a run's record. Throws `TrainingError` when the folder is no run.
  public init(of run: RunFolder) throws {
    guard FileManager.default.fileExists(atPath: run.path) else {
      throw TrainingError(path: run.path, "there is no such folder; name a run that was trained.")
    }
    guard FileManager.default.fileExists(atPath: run.recordPath) else {
      throw TrainingError(
        path: run.path, "this folder is no run: it holds no run.json, which `latent train` writes.")
    }
    do {
      self = try JSON(contentsOfFile: run.recordPath).decode()
    } catch {
      throw TrainingError(path: run.recordPath, error.sentence)
    }
  }

  /// Writes the record. Throws `FileError`.
  public func write(to run: RunFolder) throws {
    try JSON(encoding: self).write(to: run.recordPath)
  }
}

/// This tool's version.
public let latentVersion = "0.1.0"
