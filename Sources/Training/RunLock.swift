import Foundation

/// A run that a process holds while it trains, so that no other one writes into its folder: an
/// advisory lock on `.lock`, which the system releases however the process ends.
public final class RunLock {
  private let descriptor: Int32

  /// Takes the lock of a run's folder. Throws `TrainingError` when another process has it, with that
  /// process's number.
  public init(_ run: RunFolder) throws {
    let path = "\(run.path)/.lock"
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard opened >= 0 else {
      throw TrainingError(
        path: run.path, "the folder cannot be written to: \(String(cString: strerror(errno))).")
    }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let holder = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      close(opened)
      throw TrainingError(
        path: run.path,
        "another process\(Int(holder).map { " (\($0))" } ?? "") is training in this folder; wait for "
          + "it, stop it, or choose another --out.")
    }
    let number = Array(String(getpid()).utf8)
    ftruncate(opened, 0)
    _ = number.withUnsafeBytes { write(opened, $0.baseAddress, $0.count) }
    descriptor = opened
  }

  /// Whether a process is training in a run's folder.
  public static func isHeld(_ run: RunFolder) -> Bool {
    let opened = open("\(run.path)/.lock", O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { return false }
    defer { close(opened) }
    return flock(opened, LOCK_SH | LOCK_NB) != 0
  }

  // The file stays: to remove it would let two processes lock two files of one name.
  deinit { close(descriptor) }
}
