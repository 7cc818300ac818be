#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A whole regular file mapped into memory for as long as this object lives.
///
/// The mapping is private and copy-on-write: a tensor that shares these bytes may be changed in
/// place, and the file on disk stays as it is. Limitation: a file that another process cuts short
/// while it is mapped makes the system end this process (SIGBUS), as with any mapped file; Latent
/// itself only ever replaces files by renaming, which is safe.
public final class MappedFile: @unchecked Sendable {
  // Unchecked: both fields are set once in `init`. Writers through the raw pointer have to
  // synchronise among themselves, as they would with any shared buffer.
  private let base: UnsafeMutableRawPointer?
  /// The length of the file in bytes.
  public let byteCount: Int

  /// Maps the file at `path`.
  ///
  /// - Throws: `FileError` when it is missing, unreadable or not a regular file.
  public init(path: String) throws(FileError) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FileError(path: path, action: "it cannot be opened", code: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError(path: path, action: "it cannot be read", code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(
        path: path,
        sentence: "it is \(isFolder ? "a folder" : "not a regular file"), but a file is needed.")
    }
    byteCount = Int(status.st_size)
    guard byteCount > 0 else {
      base = nil
      return
    }
    let mapped = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0)
    guard let mapped, mapped != MAP_FAILED else {
      throw FileError(path: path, action: "it cannot be mapped into memory", code: errno)
    }
    base = mapped
  }

  deinit {
    if let base { munmap(base, byteCount) }
  }

  /// The mapped bytes, valid only while this object is alive.
  public var unsafeBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: base == nil ? 0 : byteCount)
  }

  /// Calls `body` with the bytes of the file.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try withExtendedLifetime(self) { () throws(E) -> R in
      try body(UnsafeRawBufferPointer(unsafeBytes))
    }
  }
}

/// Some bytes of a mapped file, which leave memory with this object: a private copy of changed ones
/// is given up, and the rest is read again when the file is asked for it.
public final class MappedBytes: @unchecked Sendable {
  // Unchecked, as `MappedFile` is.
  /// The bytes, valid only while this object is alive.
  public let unsafeBytes: UnsafeMutableRawBufferPointer
  private let file: MappedFile

  /// The bytes of `file` in `range`, which must lie inside of it. No two of these may overlap.
  public init(_ range: Range<Int>, of file: MappedFile) {
    unsafeBytes = UnsafeMutableRawBufferPointer(rebasing: file.unsafeBytes[range])
    self.file = file
  }

  deinit {
    // Pages that others have a part of stay.
    guard let base = unsafeBytes.baseAddress else { return }
    let (page, start) = (Int(sysconf(Int32(_SC_PAGESIZE))), Int(bitPattern: base))
    let first = (start + page - 1) / page * page
    let end = (start + unsafeBytes.count) / page * page
    if first < end { madvise(base + (first - start), end - first, MADV_DONTNEED) }
  }
}
