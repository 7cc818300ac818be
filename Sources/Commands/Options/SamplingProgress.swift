import ArgumentParser
import Diffusion
import Foundation
import Training

/// How far a sampling is, on standard error, and its stop between two steps.
final class SamplingProgress {
  private let start = ContinuousClock.now
  private let line: StatusLine?
  private var calls = 0

  /// Shows nothing when `quiet`. Listens for a stop from now on.
  init(quiet: Bool) {
    line = quiet ? nil : StatusLine()
    Interruption.listen()
  }

  /// Seconds since the beginning.
  var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Shows a call of the network. Throws the exit code when the person or the system wants a stop.
  func show(_ step: Denoising.Step, share: Double) throws {
    calls += 1
    let rate = Double(calls) / seconds
    let speed =
      rate >= 1
      ? String(format: "%.1f calls/s", rate) : String(format: "%.1f s a call", 1 / rate)
    line?.show(
      "\(StatusLine.bar(share)) call \(step.done) of \(step.total)  \(speed)  "
        + "\(clock(seconds / share * (1 - share))) left")
    try stopIfWanted()
  }

  /// Throws the exit code when the person or the system wants a stop.
  func stopIfWanted() throws {
    guard let signal = Interruption.signalNumber else { return }
    line?.finish()
    throw ExitCode(128 + signal)
  }

  /// Ends the line.
  func finish() { line?.finish() }
}
