/// A vocabulary of byte-pair encoding and its merges (Sennrich et al. 2016).
///
/// Words are sequences of bytes; the last byte's symbol is marked as the word's end. Merging follows
/// the `tokenizers` library: again and again the pair of the lowest rank, the leftmost of equals.
struct BytePairs: Sendable {
  /// Two neighbouring symbols.
  typealias Pair = UInt64

  /// The id of every token of the vocabulary.
  let ids: [String: Int]
  /// The merges in the order of their ranks, as tokens.
  let merges: [(String, String)]
  private let ranks: [Pair: (rank: UInt32, id: Int)]
  /// The symbols of a byte inside and at the end of a word.
  private let inner: [Int?]
  private let last: [Int?]

  /// No token may have an id from here on: ids index an embedding table.
  static let idLimit = 1 << 24

  /// Throws a sentence for a merge whose parts or result the vocabulary lacks, or an id out of range.
  init(ids: [String: Int], merges: [(String, String)]) throws(VocabularyProblem) {
    for (token, id) in ids where !(0..<Self.idLimit).contains(id) {
      throw VocabularyProblem(
        file: .vocabulary,
        sentence: "the token \"\(token)\" has the id \(id); ids lie in 0..<\(Self.idLimit).")
    }
    var ranks: [Pair: (rank: UInt32, id: Int)] = [:]
    ranks.reserveCapacity(merges.count)
    for (rank, (first, second)) in merges.enumerated() {
      guard let a = ids[first], let b = ids[second], let whole = ids[first + second] else {
        let missing = [first, second, first + second].first { ids[$0] == nil } ?? ""
        throw VocabularyProblem(
          file: .merges,
          sentence: "merge \(rank + 1), \"\(first) \(second)\", needs the token \"\(missing)\", "
            + "which the vocabulary lacks; take both files from the same place.")
      }
      ranks[Self.pair(a, b)] = (UInt32(rank), whole)
    }
    self.ids = ids
    self.merges = merges
    self.ranks = ranks
    let characters = ByteAlphabet.characters.map { String($0) }
    inner = characters.map { ids[$0] }
    last = characters.map { ids[$0 + ByteAlphabet.endOfWord] }
  }

  static func pair(_ first: Int, _ second: Int) -> Pair {
    UInt64(UInt32(first)) << 32 | UInt64(UInt32(second))
  }

  /// Appends the ids of a word's tokens; a byte that the vocabulary lacks becomes `unknown`.
  ///
  /// The time grows with n log n in the word's length n.
  func encode(_ word: [UInt8], unknown: Int, into result: inout [Int]) {
    guard let end = word.indices.last else { return }
    // Nothing merges with an unknown symbol, so it may not have a token's id.
    var symbols = word.indices.map { place in
      (place == end ? last : inner)[Int(word[place])] ?? Self.unknownSymbol
    }
    var next = Array(word.indices.dropFirst()) + [-1]
    var previous = word.indices.map { $0 - 1 }
    var isGone = [Bool](repeating: false, count: word.count)
    var queue = MinimumHeap<UInt64>()

    func consider(_ place: Int) {
      guard place >= 0, next[place] >= 0,
        let merge = ranks[Self.pair(symbols[place], symbols[next[place]])]
      else { return }
      queue.insert(UInt64(merge.rank) << 32 | UInt64(UInt32(place)))
    }

    for place in word.indices { consider(place) }
    while let entry = queue.removeMinimum() {
      let (rank, place) = (UInt32(entry >> 32), Int(UInt32(truncatingIfNeeded: entry)))
      // An entry is stale once one of its two symbols was merged otherwise.
      guard !isGone[place], next[place] >= 0,
        let merge = ranks[Self.pair(symbols[place], symbols[next[place]])], merge.rank == rank
      else { continue }
      let eaten = next[place]
      symbols[place] = merge.id
      isGone[eaten] = true
      next[place] = next[eaten]
      if next[place] >= 0 { previous[next[place]] = place }
      consider(previous[place])
      consider(place)
    }
    for place in word.indices where !isGone[place] {
      result.append(symbols[place] == Self.unknownSymbol ? unknown : symbols[place])
    }
  }

  private static let unknownSymbol = Int(UInt32.max)
}

/// What keeps a vocabulary from use, as a sentence, and the file that it is about.
struct VocabularyProblem: Error {
  enum File {
    case vocabulary
    case merges
  }

  let file: File
  let sentence: String
}
