/// Cleans a text and cuts it into the words that byte pairs are merged in.
///
/// Cleaning: normalisation form C, then every scalar's own lower case (so that a final Σ becomes σ).
/// Words: the contractions 's 't 're 've 'm 'll 'd, runs of letters, single digits, and runs of
/// everything else that is no white space (Radford et al. 2021, the tokenizer of CLIP).
enum WordScanner {
  /// What a scalar is to the split.
  private enum Kind {
    case letter
    case number
    case space
    case other
  }

  /// The cleaned form of `scalars`; white space is left as it is, for it only separates words.
  static func cleaned(_ scalars: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
    let composed = CanonicalComposition.composed(scalars)
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(composed.count)
    for scalar in composed {
      switch scalar.value {
      case 0x41...0x5A: result.append(Unicode.Scalar(UInt8(scalar.value + 32)))
      case ..<0x80: result.append(scalar)
      default: result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  /// Calls `body` with the UTF-8 bytes of every word of a cleaned text, in order.
  static func forEachWord(of text: ArraySlice<Unicode.Scalar>, _ body: ([UInt8]) -> Void) {
    var position = text.startIndex
    func emit(_ end: Int) {
      var bytes: [UInt8] = []
      for scalar in text[position..<end] { bytes.append(contentsOf: UTF8.encode(scalar)!) }
      body(bytes)
      position = end
    }
    while position < text.endIndex {
      if let marker = markers.first(where: { text[position...].starts(with: $0) }) {
        // Its three parts are words of their own, and it ends the run of signs that it begins.
        let end = position + marker.count
        emit(position + 2)
        emit(end - 2)
        emit(end)
        continue
      }
      if let length = contractionLength(text[position...]) {
        emit(position + length)
        continue
      }
      let kind = kind(of: text[position])
      switch kind {
      case .space: position += 1
      case .number: emit(position + 1)
      case .letter, .other:
        emit(text[position...].firstIndex { Self.kind(of: $0) != kind } ?? text.endIndex)
      }
    }
  }

  /// Texts that the pattern names; in folders where they are special tokens they never come here.
  private static let markers = ["<|startoftext|>", "<|endoftext|>"].map {
    Array($0.unicodeScalars)
  }

  private static func contractionLength(_ text: ArraySlice<Unicode.Scalar>) -> Int? {
    guard text.first == "'", text.count > 1 else { return nil }
    switch text[text.startIndex + 1] {
    case "s", "t", "m", "d": return 2
    case "r", "v": return text.dropFirst(2).first == "e" ? 3 : nil
    case "l": return text.dropFirst(2).first == "l" ? 3 : nil
    default: return nil
    }
  }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    switch scalar.value {
    case 0x61...0x7A, 0x41...0x5A, 0xAC00...0xD7A3: return .letter
    case 0x30...0x39: return .number
    case 0x09...0x0D, 0x20: return .space
    case ..<0x80: return .other
    default: break
    }
    // What the reference's Unicode does not know yet is no letter there.
    let isKnown = scalar.properties.age.map { $0.major <= 16 } ?? false
    switch scalar.properties.generalCategory {
    case _ where !isKnown: return .other
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return scalar.properties.isWhitespace ? .space : .other
    }
  }
}
