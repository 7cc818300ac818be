import Dispatch
import Interchange
import Synchronization

/// The SHA-256 of a model's weights, computed aside while the first picture is drawn: of large models
/// it takes seconds.
final class WeightsHash: Sendable {
  private let result = Mutex<Result<String, FileError>?>(nil)
  private let isReady = DispatchSemaphore(value: 0)

  /// Begins with the bytes of some files, one after the other.
  init(of paths: [String]) {
    DispatchQueue.global(qos: .utility).async { [self] in
      let found = Result { () throws(FileError) in try Fingerprint.ofFiles(paths) }
      result.withLock { $0 = found }
      isReady.signal()
    }
  }

  /// The hash, as 64 digits; waits for it.
  ///
  /// Throws `FileError` when a file cannot be read.
  var hex: String {
    get throws(FileError) {
      isReady.wait()
      defer { isReady.signal() }
      return try result.withLock { (found) throws(FileError) in try found?.get() ?? "" }
    }
  }
}
