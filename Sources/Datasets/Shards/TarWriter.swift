import Interchange

/// Writes a tar archive (ustar) file after file.
struct TarWriter {
  private let handle: AtomicFile.Handle

  init(_ handle: AtomicFile.Handle) {
    self.handle = handle
  }

  /// Appends a file. The same content gives the same bytes: there is no time and no owner in it.
  ///
  /// - Precondition: the name has at most 100 bytes, and the content less than 8 GB.
  func add(_ name: String, _ content: [UInt8]) throws(FileError) {
    precondition(name.utf8.count <= 100 && content.count < 1 << 33, "too long for ustar")
    var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
    func put(_ text: String, at start: Int) {
      for (place, byte) in text.utf8.enumerated() { block[start + place] = byte }
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(octal(content.count, 11), at: 124)
    put(octal(0, 11), at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
    let padding = TarReader.padded(content.count) - content.count
    try handle.write(block + content + [UInt8](repeating: 0, count: padding))
  }

  /// Writes the mark of the end.
  func finish() throws(FileError) {
    try handle.write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
  }

  private func octal(_ number: Int, _ digits: Int) -> String {
    let text = String(number, radix: 8)
    return String(repeating: "0", count: digits - text.utf8.count) + text
  }
}
