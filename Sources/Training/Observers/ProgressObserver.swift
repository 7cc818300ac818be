import Foundation

/// Tells a person how far the training is: one line that is redrawn on a terminal, a plain line
/// every ten seconds elsewhere.
public final class ProgressObserver: TrainingObserver {
  private let line: StatusLine

  /// Writes to standard error.
  public init() {
    line = StatusLine(interval: 10)
  }

  /// Redraws the line.
  public func observe(_ event: TrainingEvent) {
    switch event {
    case .stepped(let report):
      let metrics = report.metrics.prefix(3)
        .map { "\($0.name) \(format($0.value))" }.joined(separator: "  ")
      let left =
        report.progress > 0
        ? "\(clock(report.seconds / report.progress * (1 - report.progress))) left" : ""
      // Less than that is not worth a look.
      let wait =
        report.dataWait > 0.05 ? String(format: "data wait %.0f %%  ", 100 * report.dataWait) : ""
      line.show(
        "\(StatusLine.bar(report.progress)) step \(report.step)  epoch \(report.epoch)  \(metrics)"
          + "  \(Int(report.rate)) pictures/s  \(wait)\(left)")
    case .validated(_, let metrics):
      line.print(
        "test: " + metrics.map { "\($0.name) \(format($0.value))" }.joined(separator: "  "))
    case .measured(let step, let metrics):
      line.print(
        "step \(step): "
          + metrics.map { "\(words($0.name)) \(format($0.value))" }.joined(separator: "  "))
    case .warned(let step, let sentence): line.print("warning: step \(step): \(sentence)")
    case .sampled, .weighed, .checkpointed: break
    case .ended(let step, let interrupted):
      line.finish()
      if interrupted { line.print("interrupted after step \(step)") }
    }
  }

  private func words(_ name: String) -> String {
    name.replacing("_", with: " ")
  }

  private func format(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e6 { return String(format: "%.0f", value) }
    return abs(value) >= 0.01
      ? String(format: "%.2f", value) : String(format: "%.2e", value)
  }
}

/// One line of standard error that is redrawn on a terminal and repeated now and then elsewhere.
public final class StatusLine {
  private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
  private let interval: Double
  private var lastShown = -Double.infinity
  private var isDrawn = false

  /// `interval`: seconds between two lines when standard error is no terminal.
  public init(interval: Double = 10) {
    self.interval = interval
  }

  /// A bar of twenty places and a percentage for a share of 0 to 1.
  public static func bar(_ share: Double) -> String {
    let full = Int(min(max(share, 0), 1) * 20)
    return String(repeating: "█", count: full) + String(repeating: "░", count: 20 - full)
      + String(format: " %3.0f%%", share * 100)
  }

  /// Shows a state that the next one replaces.
  public func show(_ text: String) {
    let now = ProcessInfo.processInfo.systemUptime
    if isTerminal {
      guard now - lastShown >= 0.1 else { return }
      write("\r\u{1B}[2K\(text)")
      isDrawn = true
    } else {
      guard now - lastShown >= interval else { return }
      write("\(text)\n")
    }
    lastShown = now
  }

  /// Leaves a line that stays.
  public func print(_ text: String) {
    finish()
    write("\(text)\n")
  }

  /// Ends the line that is being redrawn.
  public func finish() {
    if isDrawn { write("\n") }
    isDrawn = false
  }

  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// A span of seconds as `1:02:03` or `2:03`.
public func clock(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
  return hours > 0
    ? String(format: "%d:%02d:%02d", hours, minutes, rest)
    : String(format: "%d:%02d", minutes, rest)
}
