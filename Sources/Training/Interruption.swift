import Dispatch
import Foundation
import Synchronization

/// Whether the person, or the system, has asked the process to stop.
///
/// The first SIGINT, SIGTERM or SIGHUP only sets a mark, so that a training can finish its step and
/// write its checkpoint; the second one ends the process at once. A SIGHUP that the process was
/// started to ignore, as by `nohup`, stays ignored.
public enum Interruption {
  private static let received = Atomic<Int32>(0)
  /// SIG_IGN, as a number.
  private static let ignored = 1
  private nonisolated(unsafe) static var sources: [any DispatchSourceSignal] = []

  /// Starts to listen; call once, on the main thread, before long work.
  public static func listen() {
    guard sources.isEmpty else { return }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let former = unsafeBitCast(signal(number, SIG_IGN), to: Int.self)
      if number == SIGHUP, former == Self.ignored { continue }
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if received.exchange(number, ordering: .relaxed) != 0 { exit(128 + number) }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// The signal that came, if one did.
  public static var signalNumber: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }
}
