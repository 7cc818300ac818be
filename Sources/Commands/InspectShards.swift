import ArgumentParser
import Datasets
import Foundation
import Interchange
import Training

/// `latent shards inspect PATH`.
struct InspectShards: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what tar shards hold: samples, classes, damage.",
    discussion: """
      Headers and classes are read; --check decodes every picture. JSON keys: path, shards, samples \
      (that were found), train, test (by the index where there is one), bytes, fields (how often \
      each suffix comes), classes (name, count), problems, and with --check picture_sizes (how often \
      each comes) and damaged.
      """)

  @Argument(help: "A folder of shards, a shard, a pattern in braces, or an index.")
  var path: String

  @Flag(help: "Decode every picture.")
  var check = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    Interruption.listen()
    let line = output.quiet ? nil : StatusLine()
    let found = try ShardInspection(path: path, decoding: check) { done, total in
      line?.show("\(StatusLine.bar(Double(done) / Double(total)))  \(done) of \(total) shards")
      if let signal = Interruption.signalNumber { throw ExitCode(128 + signal) }
    }
    line?.finish()
    let (train, test) = (found.samples[.train] ?? 0, found.samples[.test] ?? 0)
    func counts(_ counts: [String: Int]) -> [(String, Int)] {
      counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
    func json(_ pairs: [(String, Int)]) -> JSON {
      .object(JSONObject(pairs.map { ($0.0, .int($0.1)) }))
    }
    func list(_ pairs: [(String, Int)]) -> String {
      pairs.prefix(20).map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        + (pairs.count > 20 ? ", …" : "")
    }
    var object: JSONObject = [
      "path": .string(path), "shards": .int(found.shards), "samples": .int(found.found),
      "train": .int(train), "test": .int(test), "bytes": .int(found.bytes),
      "fields": json(counts(found.fields)),
      "classes": .array(
        found.classes.map { ["name": .string($0.name), "count": .int($0.count)] }),
      "problems": .array(found.problems.map { .string($0) }),
    ]
    var lines = [
      "shards      \(found.shards), \(found.bytes >> 20) MB",
      "samples     \(found.found): \(train) to train on, \(test) held out",
      "fields      \(list(counts(found.fields)))",
    ]
    if !found.classes.isEmpty {
      lines.append("classes     \(list(found.classes.map { ($0.name, $0.count) }))")
    }
    if check {
      object["picture_sizes"] = json(counts(found.sizes))
      object["damaged"] = .int(found.damaged)
      lines += ["pictures    \(list(counts(found.sizes)))", "damaged     \(found.damaged)"]
    }
    try output.report(object, lines: lines + found.problems.map { "problem     \($0)" })
  }
}
