/// The 256 visible characters that stand for the bytes in a vocabulary's files (Radford et al. 2019).
///
/// Printable bytes of Latin-1 stand for themselves; the others get the characters from U+0100 on.
enum ByteAlphabet {
  /// The suffix of tokens that end a word.
  static let endOfWord = "</w>"

  /// The bytes in the order of a CLIP vocabulary: the printable ones first.
  static let order: [UInt8] = printable + (0...255).filter { !printable.contains($0) }

  /// The character of every byte.
  static let characters: [Unicode.Scalar] = {
    var characters = (UInt8.min...UInt8.max).map { Unicode.Scalar($0) }
    for (place, byte) in order.dropFirst(printable.count).enumerated() {
      characters[Int(byte)] = Unicode.Scalar(UInt16(0x100 + place))!
    }
    return characters
  }()

  private static let printable = [UInt8](33...126) + [UInt8](161...172) + [UInt8](174...255)

  private static let bytes = Dictionary(
    uniqueKeysWithValues: zip(characters, UInt8.min...UInt8.max))

  /// The text that stands for `bytes`.
  static func text(of bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(characters[Int(byte)]) }
    return String(text)
  }

  /// The bytes that `text` stands for; characters outside of the alphabet stand for their own UTF-8.
  static func bytes(of text: some StringProtocol) -> [UInt8] {
    text.unicodeScalars.flatMap { scalar -> [UInt8] in
      bytes[scalar].map { [$0] } ?? UTF8.encode(scalar).map(Array.init) ?? []
    }
  }
}
