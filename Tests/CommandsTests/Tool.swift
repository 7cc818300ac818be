import Foundation
import Interchange

/// The built binary, run as a person runs it.
enum Tool {
  /// What a run of the tool left.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as the one JSON object that `--json` promises.
    var json: JSON {
      get throws {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 2, lines[1].isEmpty else { throw Unexpected("stdout: \(output)") }
        let json = try JSON(parsing: output)
        guard json.object != nil else { throw Unexpected("no object: \(output)") }
        return json
      }
    }
  }

  struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// `latent`, beside the test bundle or in the folder of debug builds.
  static let path: String = {
    let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let bundles = Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    return ([bundle] + bundles + [root.appending(path: ".build/debug")])
      .map { $0.appending(path: "latent").path }
      .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "latent"
  }()

  /// Runs the tool in a folder and waits for its end, two minutes at most.
  static func run(_ arguments: String..., in folder: Scratch) throws -> Outcome {
    try run(arguments, in: folder)
  }

  /// Runs the tool in a folder and waits for its end, two minutes at most.
  static func run(_ arguments: [String], in folder: Scratch) throws -> Outcome {
    try Started(path, arguments, in: folder).wait()
  }

  /// Runs a line of the shell in a folder; `$latent` is the tool.
  static func shell(_ line: String, in folder: Scratch) throws -> Outcome {
    try Started("/bin/sh", ["-c", line], in: folder).wait()
  }

  /// A process under way.
  final class Started {
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let talk = Scratch()

    init(
      _ executable: String, _ arguments: [String], in folder: Scratch,
      environment more: [String: String] = [:]
    ) throws {
      process.executableURL = URL(filePath: executable)
      process.arguments = arguments
      process.currentDirectoryURL = URL(filePath: folder.path)
      var environment = ProcessInfo.processInfo.environment
      environment["COLUMNS"] = "80"
      environment["latent"] = Tool.path
      environment["LATENT_DATA"] = nil
      environment["LATENT_MODELS"] = nil
      environment["LATENT_CACHE"] = NSTemporaryDirectory() + "latent-tests-cache"
      environment["OMP_NUM_THREADS"] = "1"
      environment.merge(more) { $1 }
      process.environment = environment
      // Files, not pipes: a pipe that nobody empties would hold the tool up.
      for name in ["out", "err"] {
        _ = FileManager.default.createFile(atPath: talk[name], contents: nil)
      }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle(forWritingAtPath: talk["out"])
      process.standardError = FileHandle(forWritingAtPath: talk["err"])
      process.terminationHandler = { [ended] _ in ended.signal() }
      try process.run()
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end; kills the process after two minutes.
    func wait() throws -> Outcome {
      guard ended.wait(timeout: .now() + 120) == .success else {
        kill(process.processIdentifier, SIGKILL)
        throw Unexpected("still running after two minutes: \(process.arguments ?? [])")
      }
      let status = process.terminationStatus
      return Outcome(
        // A signal that killed it, as the shell counts.
        status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
        output: try talk.text("out"), errors: try talk.text("err"))
    }
  }
}

/// A folder that lasts as long as its owner.
final class Scratch: Sendable {
  let path: String

  init() {
    path =
      FileManager.default.temporaryDirectory
      .appending(path: "latent-tests-\(UUID().uuidString)").path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the folder.
  subscript(name: String) -> String { "\(path)/\(name)" }

  /// Every file and folder below, sorted.
  var names: [String] {
    ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).sorted()
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self[name]) }

  func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: self[name])))
  }

  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  /// Writes a file, with the folders that it needs.
  func put(_ bytes: [UInt8], _ name: String) throws {
    let url = URL(filePath: self[name])
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func put(_ text: String, _ name: String) throws { try put(Array(text.utf8), name) }
}
