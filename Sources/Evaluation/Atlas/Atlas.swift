import Foundation
import Images
import Interchange

/// The article's claims as experiments, each with a figure, a number and a paragraph, in one folder
/// that grows claim by claim.
public struct Atlas {
  /// What is kept of a claim, `ID.json` beside `ID.png`.
  public struct Entry: Codable, Sendable {
    /// The claim's name.
    public let id: String
    /// The claim.
    public let sentence: String
    /// Whether it holds.
    public let holds: Bool
    /// The figures in a line.
    public let measured: String
    /// What was done and what is seen.
    public let paragraph: String
    /// The figures by name.
    public let figures: [String: Double]
    /// Seconds that measuring took, without the trainings in `runs`.
    public let seconds: Double
    /// Seconds of training of the runs that were asked for, by name; several claims may share one.
    public let runs: [String: Double]?
    /// The seed.
    public let seed: UInt64
  }

  /// The folder.
  public let folder: String

  /// The atlas in a folder that exists.
  public init(folder: String) { self.folder = folder }

  /// The entry of a claim, if it was measured. Throws `JSONError` for a damaged file.
  public func entry(_ claim: AtlasClaim) throws -> Entry? {
    let path = "\(folder)/\(claim.id).json"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      return try JSON(contentsOfFile: path).decode()
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
  }

  /// Measures a claim, and keeps its picture and its entry. Throws what measuring throws.
  public func measure(_ claim: AtlasClaim, in workshop: any AtlasWorkshop) throws -> Entry {
    let start = ContinuousClock.now
    workshop.beginClaim()
    let found = try claim.measure(workshop)
    let seconds = (ContinuousClock.now - start) / .seconds(1) - workshop.trainedSeconds
    let entry = Entry(
      id: claim.id, sentence: claim.sentence, holds: found.holds, measured: found.measured,
      paragraph: found.paragraph,
      figures: Dictionary(uniqueKeysWithValues: found.figures.map { ($0.name, $0.value) }),
      seconds: seconds, runs: workshop.usedRuns, seed: workshop.seed)
    try found.picture.write(to: "\(folder)/\(claim.id).png")
    // The entry last: it says that the claim is done.
    try JSON(encoding: entry).write(to: "\(folder)/\(claim.id).json")
    return entry
  }

  /// Writes `README.md`: the table of claims, then each with its picture.
  public func writeIndex(_ entries: [Entry], command: [String]) throws {
    let trainings = entries.reduce(into: [:]) { $0.merge($1.runs ?? [:]) { one, _ in one } }
    let minutes = (entries.reduce(0) { $0 + $1.seconds } + trainings.values.reduce(0, +)) / 60
    let missing = AtlasClaim.all.count - entries.count
    var lines = [
      "# The atlas", "",
      "Claims about generative models, measured again at small scale. Written by "
        + "`\(command.joined(separator: " "))` in \(Int(minutes.rounded(.up))) minutes of measuring "
        + "and training"
        + (missing > 0 ? "; \(missing) claims are not measured yet." : "."), "",
      "| claim | measured | holds |", "|---|---|---|",
    ]
    lines += entries.map {
      "| [\($0.sentence)](#\($0.id)) | \($0.measured) | \($0.holds ? "yes" : "**no**") |"
    }
    for entry in entries {
      lines += [
        "", "## \(entry.id)", "",
        "**\(entry.sentence)** \(entry.holds ? "" : "It does not hold here.")",
        "", entry.paragraph, "", "Measured: \(entry.measured).", "",
        "![\(entry.sentence)](\(entry.id).png)",
      ]
    }
    try AtomicFile.write(
      Array((lines.joined(separator: "\n") + "\n").utf8), to: "\(folder)/README.md")
  }
}
