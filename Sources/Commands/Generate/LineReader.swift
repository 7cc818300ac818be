import ArgumentParser
import Foundation
import Interchange
import Training

/// The lines of standard input, one after the other, until the input ends or a stop is wanted.
struct LineReader {
  private var bytes: [UInt8] = []
  private var isAtEnd = false

  /// The next line without its end; `nil` after the last one.
  ///
  /// Throws the exit code of a stop, and `FileError` when the input cannot be read.
  mutating func next() throws -> String? {
    while true {
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        defer { bytes.removeFirst(end + 1) }
        return String(decoding: bytes[..<end], as: UTF8.self)
      }
      if isAtEnd {
        defer { bytes = [] }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
      }
      try wait()
    }
  }

  /// Waits for more bytes, a moment at a time: signals only set a mark.
  private mutating func wait() throws {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    while poll(&input, 1, 100) <= 0 {
      if let signal = Interruption.signalNumber { throw ExitCode(128 + signal) }
    }
    var piece = [UInt8](repeating: 0, count: 4096)
    let count = piece.withUnsafeMutableBytes {
      read(STDIN_FILENO, $0.baseAddress, $0.count)
    }
    if count < 0, errno != EINTR {
      throw FileError(path: "standard input", action: "it cannot be read", code: errno)
    }
    isAtEnd = count == 0
    bytes += piece.prefix(max(count, 0))
  }
}
