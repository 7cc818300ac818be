import ArgumentParser
import Foundation
import Interchange
import Training

/// `latent runs`.
struct Runs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the runs below a folder: state, progress, last figures.",
    discussion: """
      A run is training while a process holds it, and stopped where one began it and left it \
      without a word. JSON keys: runs, each with run, family, data, state (training, stopped, \
      interrupted, finished, damaged), progress, steps, seconds, started, checkpoint and figures; \
      of damaged ones run, state and problem.
      """)

  @Argument(help: "The folder to look below.")
  var folder = "runs"

  @OptionGroup var output: OutputOptions

  func run() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw CommandError("\(folder): there is no such folder; name one that holds runs")
    }
    let found = runs(below: folder).map(Entry.init)
    let widths = (0..<5).map { column in found.map { $0.cells[column].count }.max() ?? 0 }
    try output.report(
      ["runs": .array(found.map { .object($0.json) })],
      lines: found.isEmpty
        ? ["no runs below \(folder)"]
        : found.map { entry in
          zip(entry.cells, widths).map {
            $0.padding(toLength: $1, withPad: " ", startingAt: 0)
          }.joined(separator: "  ") + "  " + entry.cells[5]
        })
  }

  /// The folders with a run.json, three levels down at most.
  private func runs(below folder: String, depth: Int = 0) -> [RunFolder] {
    let run = RunFolder(path: folder)
    if FileManager.default.fileExists(atPath: run.recordPath) { return [run] }
    guard depth < 3 else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted().flatMap {
      runs(below: "\(run.path)/\($0)", depth: depth + 1)
    }
  }
}

/// A run as it is listed.
private struct Entry {
  let json: JSONObject
  /// Name, family, state, progress, steps, the rest.
  let cells: [String]

  init(_ run: RunFolder) {
    let record: RunRecord
    do {
      record = try RunRecord(of: run)
    } catch {
      json = [
        "run": .string(run.path), "state": "damaged", "problem": .string("\(error)"),
      ]
      cells = [run.path, "?", "damaged", "", "", "\(error)"]
      return
    }
    let state =
      RunLock.isHeld(run)
      ? "training" : record.status == .running ? "stopped" : record.status.rawValue
    let last = (try? MetricsLog.read(run.metricsPath))?.last { $0["rate"] != nil } ?? [:]
    // Of a run that is not at its end the log knows more than the record.
    let isDone = record.status == .finished
    let steps = isDone ? record.steps : max(last["step"]?.int ?? 0, record.steps)
    let seconds = isDone ? record.seconds : max(last["seconds"]?.double ?? 0, record.seconds)
    let progress =
      isDone
      ? 1
      : record.budget.map {
        $0.progress(
          step: steps, seconds: seconds,
          stepsPerEpoch: record.data.count / max(record.config["batch_size"]?.int ?? 1, 1))
      } ?? 0
    let figures =
      isDone
      ? record.result.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      : last.compactMap { key, value in
        ["step", "epoch", "seconds", "rate", "data_wait"].contains(key)
          ? nil : value.double.map { (key, $0) }
      }
    let checkpoint = Checkpoint.newest(of: run)?.step
    json = [
      "run": .string(run.path), "family": .string(record.family),
      "data": .string(record.data.name), "state": .string(state), "progress": .double(progress),
      "steps": .int(steps), "seconds": .double(seconds), "started": .string(record.started),
      "checkpoint": checkpoint.map { .int($0) } ?? .null,
      "figures": .object(JSONObject(figures.map { ($0.0, .double($0.1)) })),
    ]
    cells = [
      run.path, record.family, state, String(format: "%3.0f %%", 100 * progress),
      "\(steps) steps in \(clock(seconds))",
      figures.prefix(3).map { "\($0.0) \(String(format: "%.4g", $0.1))" }
        .joined(separator: "  "),
    ]
  }
}
