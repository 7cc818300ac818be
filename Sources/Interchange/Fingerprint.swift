import Crypto

/// A SHA-256 digest that grows with the bytes it is given.
public struct Fingerprint {
  private var hash = SHA256()

  /// Starts an empty digest.
  public init() {}

  /// Adds raw bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

  /// Adds an array of bytes.
  public mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
  }

  /// Adds a text in UTF-8, preceded by its length so that neighbouring texts cannot run together.
  public mutating func update(_ text: String) {
    let bytes = Array(text.utf8)
    update(withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Array($0) })
    update(bytes)
  }

  /// The digest of everything added so far, as 64 lowercase hexadecimal digits.
  public var hex: String { Fingerprint.hex(hash.finalize()) }

  /// The SHA-256 of `bytes` as 64 lowercase hexadecimal digits.
  public static func of(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

  /// The SHA-256 of a file's content as 64 lowercase hexadecimal digits.
  ///
  /// - Throws: `FileError` when the file cannot be read.
  public static func ofFile(_ path: String) throws(FileError) -> String { try ofFiles([path]) }

  /// The SHA-256 of the content of files, one after the other, as 64 lowercase hexadecimal digits.
  ///
  /// - Throws: `FileError` when a file cannot be read.
  public static func ofFiles(_ paths: [String]) throws(FileError) -> String {
    var fingerprint = Fingerprint()
    for path in paths {
      let file = try MappedFile(path: path)
      // Piece by piece, so that a large file is never in memory as a whole.
      for start in stride(from: 0, to: file.byteCount, by: 1 << 24) {
        let piece = MappedBytes(start..<min(start + 1 << 24, file.byteCount), of: file)
        withExtendedLifetime(piece) {
          fingerprint.update(UnsafeRawBufferPointer(piece.unsafeBytes))
        }
      }
    }
    return fingerprint.hex
  }

  private static func hex(_ digest: SHA256Digest) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
