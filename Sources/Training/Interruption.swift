import Dispatch
import Foundation
import Synchronization

/// Whether the person, or the system, has asked the process to stop.
///
/// The first SIGINT or SIGTERM only sets a mark, so that a training can finish its step and write
/// its checkpoint; the second one ends the process at once.
public enum Interruption {
  private static let received = Atomic<Int32>(0)
  private nonisolated(unsafe) static var sources: [any DispatchSourceSignal] = []

  /// Starts to listen; call once, on the main thread, before long work.
  public static func listen() {
    guard sources.isEmpty else { return }
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
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
