#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writing a file so that it appears whole or not at all.
///
/// The bytes go to a hidden file in the same folder, reach the disk (`fsync`) and are then renamed
/// over the destination. When anything fails, the hidden file is removed and an older file under
/// the same name is left as it was.
public enum AtomicFile {
  /// Creates or replaces the file at `path` with what `body` writes.
  ///
  /// - Throws: `FileError` when the disk refuses, or whatever `body` throws.
  public static func write<R>(to path: String, _ body: (Handle) throws -> R) throws -> R {
    try write(to: path, opening: openNew, body)
  }

  /// Creates or replaces the file at `path` with `bytes`.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    do {
      try write(to: path) { try $0.write(bytes) }
    } catch let error as FileError {
      throw error
    } catch {
      throw FileError(path: path, sentence: "it cannot be written: \(error).")
    }
  }

  /// Creates or replaces the file at `path` with `text` in UTF-8.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }

  /// An open file that accepts bytes one after the other.
  public final class Handle {
    private let descriptor: Int32
    private let path: String
    /// How many bytes were written so far.
    public private(set) var byteCount = 0

    init(descriptor: Int32, path: String) {
      self.descriptor = descriptor
      self.path = path
    }

    /// Appends `bytes`.
    ///
    /// - Throws: `FileError` when the disk refuses, for example because it is full.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
      try writeAll(bytes, to: descriptor, path: path)
      byteCount += bytes.count
    }

    /// Appends `bytes`.
    ///
    /// - Throws: `FileError` when the disk refuses, for example because it is full.
    public func write(_ bytes: [UInt8]) throws(FileError) {
      try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
        try write(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// The seam where tests put a descriptor that fails.
  static func write<R>(
    to path: String, opening: (String) -> Int32, _ body: (Handle) throws -> R
  ) throws -> R {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(
        path: path,
        sentence: isFolder
          ? "it is a folder, so choose a file name inside it."
          : "it is not a regular file and cannot be replaced, so choose another name.")
    }
    let folder = folderOf(path)
    let suffix = String(UInt64.random(in: .min ... .max), radix: 36)
    let partial = "\(folder)/.latent-\(suffix).partial"
    let descriptor = opening(partial)
    guard descriptor >= 0 else {
      throw FileError(path: path, action: "it cannot be written", code: errno)
    }
    var isOpen = true
    do {
      let result = try body(Handle(descriptor: descriptor, path: path))
      let synced = fsync(descriptor)
      let syncCode = errno
      isOpen = false
      let closed = close(descriptor)
      // EINVAL: a file system that cannot sync; the data is as safe as it gets there.
      guard synced == 0 || syncCode == EINVAL || syncCode == ENOTSUP else {
        throw FileError(path: path, action: "it cannot be written", code: syncCode)
      }
      guard closed == 0, rename(partial, path) == 0 else {
        throw FileError(path: path, action: "it cannot be written", code: errno)
      }
      syncFolder(folder)
      return result
    } catch {
      if isOpen { close(descriptor) }
      unlink(partial)
      throw error
    }
  }

  private static func openNew(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  }

  private static func folderOf(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "" : String(path[..<slash])
  }

  /// Makes a rename inside a folder durable, where the system allows to sync a folder.
  public static func syncFolder(_ folder: String) {
    let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

/// Writes every byte, going on after interruptions and short writes.
func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
) throws(FileError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    // Below 2 GB a call: larger counts are refused by some systems.
    let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
    let written = posixWrite(descriptor, piece.baseAddress, piece.count)
    if written < 0 {
      if errno == EINTR { continue }
      throw FileError(path: path, action: "it cannot be written", code: errno)
    }
    rest = rest.dropFirst(written)
  }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
