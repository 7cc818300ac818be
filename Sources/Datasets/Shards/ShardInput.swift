import Foundation

/// Where the bytes of a shard come from.
enum ShardSource: Sendable, Equatable {
  /// A file on this machine.
  case file(path: String)
  /// A command of the shell, whose standard output is the archive.
  case command(String)
}

/// The bytes of a shard, in order and buffered. For one thread at a time.
///
/// The file is closed, and the command ended and reaped, with this object.
final class ShardInput {
  private static let bufferSize = 1 << 18

  private let descriptor: Int32
  private let command: ShardCommand?
  /// Of a file; a pipe has none.
  private let size: Int?
  private let isCancelled: @Sendable () -> Bool
  private var buffer = [UInt8](repeating: 0, count: bufferSize)
  private var unread = 0..<0
  /// Bytes that were read or skipped.
  private(set) var position = 0

  /// Opens a file or starts a command; `isCancelled` is asked while a pipe has nothing to give.
  init(
    _ source: ShardSource, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws(ShardError) {
    self.isCancelled = isCancelled
    switch source {
    case .command(let line):
      let command = try ShardCommand(line)
      (self.command, descriptor, size) = (command, command.output, nil)
    case .file(let path):
      descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      (command, size) = (nil, try Self.size(of: descriptor))
    }
  }

  /// The size of an open file; closes a descriptor of anything else.
  private static func size(of descriptor: Int32) throws(ShardError) -> Int {
    guard descriptor >= 0 else {
      throw ShardError(problem: "it cannot be opened: \(String(cString: strerror(errno)))")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ShardError(problem: "it is not a regular file")
    }
    return Int(status.st_size)
  }

  deinit {
    // The command closes its own.
    if command == nil { close(descriptor) }
  }

  /// Fills `destination`; fewer bytes come only at the end.
  func read(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
    var done = 0
    while done < destination.count {
      if unread.isEmpty {
        unread = 0..<(try fill())
        if unread.isEmpty { break }
      }
      let part = min(unread.count, destination.count - done)
      buffer.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: destination[done..<done + part])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[unread.prefix(part)]))
      }
      unread = unread.dropFirst(part)
      done += part
    }
    position += done
    return done
  }

  /// Passes over bytes, and says how many there were: fewer only at the end.
  func skip(_ count: Int) throws -> Int {
    var left = count
    while left > 0 {
      let part = min(unread.count, left)
      unread = unread.dropFirst(part)
      position += part
      left -= part
      if left == 0 { break }
      if let size {
        // Nothing is buffered here, so the file's own place is `position`.
        let step = min(left, max(size - position, 0))
        guard lseek(descriptor, off_t(position + step), SEEK_SET) >= 0 else { throw failure() }
        position += step
        return count - left + step
      }
      unread = 0..<(try fill())
      if unread.isEmpty { break }
    }
    return count - left
  }

  /// What the command reported when it ended, as a clause; nil for one that ended well or goes on
  /// writing, and for files. What is left of its output is lost.
  func ending() throws -> String? {
    guard let command else { return nil }
    // Archives are padded with zeros at their end.
    let most = 1 << 20
    return try skip(most) < most ? command.ending(isCancelled) : nil
  }

  /// Reads what there is into the buffer, at least a byte; 0 at the end.
  private func fill() throws -> Int {
    while true {
      if command != nil { try awaitBytes() }
      let got = buffer.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress, $0.count)
      }
      if got >= 0 { return got }
      guard errno == EINTR || errno == EAGAIN else { throw failure() }
    }
  }

  private func awaitBytes() throws {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    repeat {
      if isCancelled() { throw CancellationError() }
    } while poll(&ready, 1, 200) == 0
  }

  private func failure() -> ShardError {
    ShardError(problem: "it cannot be read: \(String(cString: strerror(errno)))")
  }
}
