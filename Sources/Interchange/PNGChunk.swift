/// Where one chunk of a PNG file lies.
struct PNGChunk {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  let type: String
  /// Length, type, data and checksum.
  let whole: Range<Int>
  let data: Range<Int>

  /// The chunks up to and with `IEND`, each with a right checksum.
  static func split(_ png: [UInt8]) throws(PNGTextError) -> [PNGChunk] {
    guard png.starts(with: signature) else {
      throw PNGTextError(sentence: "it is no PNG file.")
    }
    let truncated = PNGTextError(sentence: "the PNG file is cut short; save or fetch it again.")
    var chunks: [PNGChunk] = []
    var position = signature.count
    while true {
      guard png.count - position >= 12 else { throw truncated }
      let length = Int(word(png, at: position))
      guard length <= png.count - position - 12 else { throw truncated }
      let data = position + 8..<position + 8 + length
      let type = String(decoding: png[position + 4..<position + 8], as: UTF8.self)
      guard Checksum.crc32(png[position + 4..<data.upperBound]) == word(png, at: data.upperBound)
      else {
        throw PNGTextError(
          sentence: "a checksum in the PNG file is wrong; it is damaged, so save or fetch it again."
        )
      }
      if chunks.isEmpty, type != "IHDR" {
        throw PNGTextError(sentence: "the PNG file does not begin with its header; it is damaged.")
      }
      position = data.upperBound + 4
      chunks.append(PNGChunk(type: type, whole: data.lowerBound - 8..<position, data: data))
      if type == "IEND" { return chunks }
    }
  }

  static func encode(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return bytes(UInt32(data.count)) + body + bytes(Checksum.crc32(body))
  }

  private static func word(_ bytes: [UInt8], at index: Int) -> UInt32 {
    bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}
