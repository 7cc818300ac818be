import ArgumentParser
import Evaluation
import Foundation
import Interchange
import Torch
import Training

/// `latent atlas`.
struct AtlasCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atlas",
    abstract: "Measure claims about generative models again, at small scale.",
    discussion: """
      Each claim leaves a figure, a number and a paragraph in the folder, and README.md has the \
      table. What is there already is not measured again, so an interrupted atlas goes on; runs that \
      claims train and share are kept beside it, in runs/atlas. Claims: \
      \(AtlasClaim.all.map(\.id).joined(separator: ", ")). JSON keys: folder, seconds, claims (id, \
      sentence, holds, measured, figures, seconds).
      """)

  @Option(help: "The folder of the atlas.")
  var out = "atlas"

  @Option(
    name: .customLong("claim"),
    help: ArgumentHelp("A claim to measure; may be repeated (default: all).", valueName: "claim"))
  var claims: [String] = []

  @Option(help: "Pictures to train on, with classes.")
  var data = "fashion-mnist"

  @Option(help: "The folder of the runs.")
  var runs = "runs/atlas"

  @Flag(help: "Measure claims again that were measured.")
  var force = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    let names = AtlasClaim.all.map(\.id)
    if let other = claims.first(where: { !names.contains($0) }) {
      let near = nearestName(to: other, among: names).map { "; did you mean \($0)?" } ?? "."
      throw ValidationError(
        "There is no claim \"\(other)\"\(near) The claims are \(names.joined(separator: ", ")).")
    }
  }

  func run() throws {
    let device = try compute.start()
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw CommandError("\(out): the folder cannot be made")
    }
    Interruption.listen()
    let workshop = Workshop(self, device: device)
    let atlas = Atlas(folder: out)
    var known: [String: Atlas.Entry] = [:]
    for claim in AtlasClaim.all { known[claim.id] = try atlas.entry(claim) }
    var entries: [Atlas.Entry] { AtlasClaim.all.compactMap { known[$0.id] } }
    let start = ContinuousClock.now
    for (number, claim) in AtlasClaim.all.enumerated() {
      guard claims.isEmpty || claims.contains(claim.id), known[claim.id] == nil || force else {
        continue
      }
      output.talk("\(number + 1) of \(AtlasClaim.all.count): \(claim.sentence)")
      let entry = try atlas.measure(claim, in: workshop)
      output.talk("  \(entry.holds ? "holds" : "does not hold"): \(entry.measured)")
      known[claim.id] = entry
      // After every claim, so that the folder is always whole.
      try atlas.writeIndex(
        entries,
        command: ["./latent", "atlas", "--out", out, "--data", data, "--seed", "\(workshop.seed)"])
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    try output.report(
      [
        "folder": .string(out), "seconds": .double(seconds),
        "claims": .array(
          entries.map { entry in
            [
              "id": .string(entry.id), "sentence": .string(entry.sentence),
              "holds": .bool(entry.holds), "measured": .string(entry.measured),
              "figures": .object(entry.figures.mapValues { .double($0) }.jsonObject),
              "seconds": .double(entry.seconds),
            ]
          }),
      ],
      lines: entries.map { "\($0.holds ? "yes" : "NO ")  \($0.id): \($0.measured)" }
        + ["\(out)/README.md"])
  }
}

extension [String: JSON] {
  /// The values under sorted keys.
  fileprivate var jsonObject: JSONObject {
    var object: JSONObject = [:]
    for (key, value) in sorted(by: { $0.key < $1.key }) { object[key] = value }
    return object
  }
}

/// Trains what claims ask for, once.
private final class Workshop: AtlasWorkshop {
  let data: String
  let seed: UInt64
  private(set) var usedRuns: [String: Double] = [:]
  private(set) var trainedSeconds = 0.0
  private let folder: String
  private let device: Device
  private let output: OutputOptions

  init(_ command: AtlasCommand, device: Device) {
    data = command.data
    seed = command.seed.value
    folder = command.runs
    output = command.output
    self.device = device
  }

  func run(
    _ name: String, _ family: Family, data: String, budget: TrainingBudget,
    game: GANRecipe.Game?, settings: [String]
  ) throws -> any TrainedModel {
    let path = "\(folder)/\(name)"
    // A claim over seeds names its own.
    let own = settings.compactMap { $0.hasPrefix("seed=") ? UInt64($0.dropFirst(5)) : nil }.first
    let new = try TrainingPlan(
      family, data: data, game: game, settings: settings.filter { !$0.hasPrefix("seed=") },
      seed: own ?? seed, budget: budget, run: RunFolder(path: path))
    func isSame(_ record: RunRecord) -> Bool {
      record.config == new.record.config && record.seed == new.seed && record.budget == budget
        && record.data == new.record.data
    }
    if let record = try? RunRecord(of: new.run), record.status == .finished, isSame(record) {
      usedRuns[name] = record.seconds
      return try TrainedModels.open(path, device: device)
    }
    // An interrupted training goes on, unless it is another one.
    let begun = try? TrainingPlan(goingOnWith: new.run, family: family) { _, record in
      guard isSame(record) else { throw TrainingError("another training.") }
    }
    let start = ContinuousClock.now
    let plan = begun ?? new
    output.talk("  training \(name)")
    _ = try plan.execute(device: device, observers: output.quiet ? [] : [ProgressObserver()])
    try checkInterruption()
    trainedSeconds += (.now - start) / .seconds(1)
    usedRuns[name] = try RunRecord(of: new.run).seconds
    return try TrainedModels.open(path, device: device)
  }

  func beginClaim() { (usedRuns, trainedSeconds) = ([:], 0) }

  func tell(_ what: String) { output.talk("  \(what)") }

  func checkInterruption() throws {
    if let signal = Interruption.signalNumber {
      output.talk("interrupted; the same command goes on with --seed \(seed)")
      throw ExitCode(128 + signal)
    }
  }
}
