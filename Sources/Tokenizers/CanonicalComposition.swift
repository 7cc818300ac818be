/// Normalisation form C: accents composed with their letters (Unicode Standard Annex 15).
///
/// Written out here, over Unicode 9.0 as the reference tokenizer has it, because token ids must not
/// depend on the system's Unicode version: marks that were encoded later are not reordered.
enum CanonicalComposition {
  /// The composed form of `scalars`.
  static func composed(_ scalars: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
    let given = Array(scalars)
    // Below U+0300 everything is composed already.
    guard given.contains(where: { $0.value >= 0x300 }) else { return given }
    var marked: [Marked] = []
    marked.reserveCapacity(given.count)
    for scalar in given { decompose(scalar.value, into: &marked) }
    reorder(&marked)
    return compose(marked)
  }

  /// A scalar with its canonical combining class.
  private struct Marked {
    var value: UInt32
    var order: UInt8
  }

  private static func decompose(_ value: UInt32, into result: inout [Marked]) {
    if let index = Hangul.syllableIndex(value) {
      let (vowel, trail) = (index / 28 % 21, index % 28)
      result.append(Marked(value: Hangul.lead + index / 588, order: 0))
      result.append(Marked(value: Hangul.vowel + vowel, order: 0))
      if trail > 0 { result.append(Marked(value: Hangul.trail + trail, order: 0)) }
    } else if let (first, second) = tables.decompositions[value] {
      decompose(first, into: &result)
      if let second { decompose(second, into: &result) }
    } else {
      result.append(Marked(value: value, order: combiningClass(value)))
    }
  }

  private static func combiningClass(_ value: UInt32) -> UInt8 {
    guard value >= 0x300, let properties = Unicode.Scalar(value)?.properties,
      let age = properties.age, age.major <= 9
    else { return 0 }
    return properties.canonicalCombiningClass.rawValue
  }

  /// Sorts every run of marks by class; marks of one class keep their order.
  private static func reorder(_ marked: inout [Marked]) {
    var start = 0
    while start < marked.count {
      guard marked[start].order > 0 else {
        start += 1
        continue
      }
      let end = marked[start...].firstIndex { $0.order == 0 } ?? marked.count
      let sorted = marked[start..<end].enumerated().sorted {
        ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
      }
      marked.replaceSubrange(start..<end, with: sorted.map(\.element))
      start = end
    }
  }

  /// Joins every scalar with the last starter before it, unless one between them blocks it.
  private static func compose(_ marked: [Marked]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(marked.count)
    var starter: Int?
    var lastOrder: UInt8 = 0
    for next in marked {
      if let starter {
        let isAdjacent = starter == result.count - 1
        if isAdjacent || (lastOrder < next.order && lastOrder > 0),
          let joined = composite(result[starter].value, next.value)
        {
          result[starter] = joined
          continue
        }
      }
      guard let scalar = Unicode.Scalar(next.value) else { continue }
      if next.order == 0 { starter = result.count }
      lastOrder = next.order
      result.append(scalar)
    }
    return result
  }

  private static func composite(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    if let joined = Hangul.composite(first, second) { return joined }
    return tables.composites[UInt64(first) << 32 | UInt64(second)]
  }

  // MARK: - The table

  private struct Tables {
    var decompositions: [UInt32: (UInt32, UInt32?)] = [:]
    var composites: [UInt64: Unicode.Scalar] = [:]
  }

  private static let tables: Tables = {
    var tables = Tables()
    var numbers: [UInt32] = [0]
    var composes = false
    func finish() {
      let second = numbers.count > 2 ? numbers[2] : nil
      tables.decompositions[numbers[0]] = (numbers[1], second)
      if composes, let second, let composite = Unicode.Scalar(numbers[0]) {
        tables.composites[UInt64(numbers[1]) << 32 | UInt64(second)] = composite
      }
    }
    for byte in canonicalDecompositions.utf8 {
      switch byte {
      case UInt8(ascii: " "):
        finish()
        numbers = [0]
      case UInt8(ascii: "="), UInt8(ascii: ":"):
        composes = byte == UInt8(ascii: "=")
        numbers.append(0)
      case UInt8(ascii: "+"): numbers.append(0)
      default:
        let digit = byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : byte - 87
        numbers[numbers.count - 1] = numbers[numbers.count - 1] * 16 + UInt32(digit)
      }
    }
    finish()
    return tables
  }()
}

/// Korean syllables are composed by arithmetic (Unicode Standard, §3.12).
private enum Hangul {
  static let syllable: UInt32 = 0xAC00
  static let lead: UInt32 = 0x1100
  static let vowel: UInt32 = 0x1161
  /// One before the first trailing consonant.
  static let trail: UInt32 = 0x11A7

  static func syllableIndex(_ value: UInt32) -> UInt32? {
    (syllable..<syllable + 11_172).contains(value) ? value - syllable : nil
  }

  static func composite(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    if (lead..<lead + 19).contains(first), (vowel..<vowel + 21).contains(second) {
      return Unicode.Scalar(syllable + ((first - lead) * 21 + second - vowel) * 28)
    }
    if let index = syllableIndex(first), index.isMultiple(of: 28),
      (trail + 1..<trail + 28).contains(second)
    {
      return Unicode.Scalar(first + second - trail)
    }
    return nil
  }
}
