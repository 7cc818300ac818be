import Interchange

/// Something that a diagnosis found: what it is, by which figure, and what to do about it.
public struct Finding: Sendable, Equatable {
  /// How much a finding matters.
  public enum Severity: String, Sendable {
    /// Something is wrong with the run.
    case warning
    /// Worth knowing; the family's nature, or a matter of choice.
    case note
  }

  /// The check's name, which stays the same over versions.
  public let check: String
  /// How much it matters.
  public let severity: Severity
  /// What was measured.
  public let figure: Double
  /// Where the figure would have had to lie.
  public let threshold: Double
  /// What is wrong, with the figure, as one sentence.
  public let message: String
  /// Why it matters.
  public let why: String
  /// What to try.
  public let remedy: String

  /// All fields; a warning unless said otherwise.
  public init(
    _ check: String, _ severity: Severity = .warning, figure: Double, threshold: Double,
    _ message: String, why: String, remedy: String
  ) {
    self.check = check
    self.severity = severity
    self.figure = figure
    self.threshold = threshold
    self.message = message
    self.why = why
    self.remedy = remedy
  }

  /// The finding for machines; a figure that is no finite number is `null`.
  public var json: JSONObject {
    [
      "check": .string(check), "severity": .string(severity.rawValue),
      "figure": figure.isFinite ? .double(figure) : .null, "threshold": .double(threshold),
      "message": .string(message), "why": .string(why), "remedy": .string(remedy),
    ]
  }

  /// The finding for people.
  public var lines: [String] {
    ["\(severity.rawValue): \(message) [\(check)]", "  why: \(why)", "  try: \(remedy)"]
  }
}

/// Facts about a run, gathered once, and the checks that look at them.
public protocol Diagnosable {
  /// What every check that these facts allow said; `nil` where nothing is wrong.
  var verdicts: [Finding?] { get }
}

extension Diagnosable {
  /// What the checks found.
  public var findings: [Finding] { verdicts.compactMap(\.self) }
}
