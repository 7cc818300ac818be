import Foundation

/// The largest file that is read as a picture, in bytes.
private let maximumFileSize = 1 << 30

/// The bytes of a regular file.
///
/// A pipe or device is refused before it is read, since reading one may never end.
func readFile(_ path: String) throws(ImageError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemMessage()) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else {
    throw .unreadable(path: path, reason: systemMessage())
  }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw .unreadable(path: path, reason: "it is not a regular file")
  }
  let size = Int(status.st_size)
  guard size <= maximumFileSize else {
    throw .unreadable(path: path, reason: "the file has \(size) bytes, more than a picture needs")
  }
  var failed = false
  let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    while count < size {
      let got = read(descriptor, buffer.baseAddress! + count, size - count)
      if got < 0 && errno == EINTR { continue }
      failed = got < 0
      if got <= 0 { break }
      count += got
    }
  }
  guard !failed else { throw .unreadable(path: path, reason: systemMessage()) }
  return bytes
}

/// Writes a file aside in the same folder, then renames it, so that no half-written file remains.
func writeFile(_ bytes: [UInt8], to path: String) throws(ImageError) {
  let aside = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).partial"
  let descriptor = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemMessage()) }
  var written = 0
  var reason: String?
  bytes.withUnsafeBytes { buffer in
    while written < buffer.count {
      let put = write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else {
        reason = systemMessage()
        return
      }
      written += put
    }
  }
  if close(descriptor) != 0, reason == nil { reason = systemMessage() }
  if reason == nil, rename(aside, path) != 0 { reason = systemMessage() }
  guard let reason else { return }
  unlink(aside)
  throw .unwritable(path: path, reason: reason)
}

/// The system's sentence for the last failed call, such as "No such file or directory".
private func systemMessage() -> String { String(cString: strerror(errno)) }
