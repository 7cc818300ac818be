#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A log file that only grows. Not for use by several threads at once.
final class AppendingFile {
  private let descriptor: Int32
  let path: String

  /// Opens or creates the file at `path`.
  init(path: String) throws(FileError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o666)
    self.path = path
    guard descriptor >= 0 else {
      throw FileError(path: path, action: "it cannot be written", code: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw FileError(path: path, sentence: "it is not a regular file, so choose another name.")
    }
  }

  deinit { close(descriptor) }

  /// Appends in one write, so that a reader sees whole records.
  func append(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
    }
  }

  /// Cuts the file after `byteCount` bytes.
  func truncate(to byteCount: Int) throws(FileError) {
    guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
      throw FileError(path: path, action: "it cannot be shortened", code: errno)
    }
  }
}
