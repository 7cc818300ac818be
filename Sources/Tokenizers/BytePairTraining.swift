import Interchange

/// Why a tokenizer cannot be trained.
public struct TokenizerTrainingError: ExplainedError, Equatable {
  /// No file is concerned.
  public var path: String? { nil }
  /// What is wrong and what to do, as one sentence.
  public let sentence: String
}

extension CLIPTokenizer {
  /// The 256 bytes inside and at the end of a word, and the beginning and the end of a text.
  public static let smallestVocabulary = 2 * 256 + 2

  /// A tokenizer of at most `vocabularySize` tokens, learned from captions in any language.
  ///
  /// Byte-pair encoding over UTF-8 (Sennrich et al. 2016, algorithm 1): again and again the pair that
  /// occurs most often becomes a token; of equals the one that comes first by its ids. The same
  /// captions give the same tokenizer. There are fewer tokens where no pair is left that occurs twice.
  /// Words of more than 128 bytes teach nothing.
  ///
  /// The vocabulary has CLIP's layout: bytes, bytes at a word's end, merges, beginning, end.
  /// - Throws: `TokenizerTrainingError` for a size out of range or captions without words.
  public static func trained(
    on captions: some Sequence<String>, vocabularySize: Int, windowLength: Int = 77
  ) throws(TokenizerTrainingError) -> CLIPTokenizer {
    guard (smallestVocabulary...BytePairs.idLimit).contains(vocabularySize) else {
      throw TokenizerTrainingError(
        sentence: "a vocabulary of \(vocabularySize) tokens cannot be trained; "
          + "choose a size in \(smallestVocabulary)...\(BytePairs.idLimit).")
    }
    var counts: [[UInt8]: Int] = [:]
    for caption in captions {
      WordScanner.forEachWord(of: WordScanner.cleaned(caption.unicodeScalars)[...]) { word in
        if word.count <= 128 { counts[word, default: 0] += 1 }
      }
    }
    guard !counts.isEmpty else {
      throw TokenizerTrainingError(
        sentence: "the captions hold no words; give at least one caption with text.")
    }
    var training = BytePairTraining(counts)
    training.merge(atMost: vocabularySize - smallestVocabulary)
    let markers = ["<|startoftext|>", "<|endoftext|>"]
    let tokens = training.tokens + markers
    let ids = Dictionary(zip(tokens, tokens.indices)) { first, _ in first }
    guard let pairs = try? BytePairs(ids: ids, merges: training.merges) else {
      preconditionFailure("every merge's token was added")
    }
    let special = markers.enumerated().map { place, content in
      SpecialToken(
        content: content, id: training.tokens.count + place, isNormalized: false,
        isSingleWord: false)
    }
    let (begin, end) = (special[0].id, special[1].id)
    return CLIPTokenizer(
      pairs: pairs, specialTokens: special, begin: begin, end: end, pad: end, unknown: end,
      windowLength: windowLength)
  }
}

/// The counts of pairs, kept up to date from merge to merge.
private struct BytePairTraining {
  private(set) var tokens: [String]
  private(set) var merges: [(String, String)] = []
  /// Every word's symbols, and how often the word occurs.
  private var words: [(symbols: [Int], count: Int)]
  private var counts: [BytePairs.Pair: Int] = [:]
  /// Words in which a pair occurs, or occurred once.
  private var places: [BytePairs.Pair: Set<Int>] = [:]
  /// The most frequent pair first; entries whose count has changed since are stale.
  private var queue = MinimumHeap<Candidate>()
  private var known: Set<BytePairs.Pair> = []
  private var ids: [String: Int]

  /// More frequent pairs come first, then those of smaller ids.
  private struct Candidate: Comparable {
    let count: Int
    let pair: BytePairs.Pair

    static func < (a: Candidate, b: Candidate) -> Bool { (b.count, a.pair) < (a.count, b.pair) }
  }

  init(_ counted: [[UInt8]: Int]) {
    let characters = ByteAlphabet.order.map { ByteAlphabet.text(of: [$0]) }
    tokens = characters + characters.map { $0 + ByteAlphabet.endOfWord }
    ids = Dictionary(uniqueKeysWithValues: zip(tokens, tokens.indices))
    var idOfByte = [Int](repeating: 0, count: 256)
    for (id, byte) in ByteAlphabet.order.enumerated() { idOfByte[Int(byte)] = id }
    words = counted.map { word, count in
      let last = word.count - 1
      return (word.enumerated().map { idOfByte[Int($1)] + ($0 == last ? 256 : 0) }, count)
    }
    for (index, word) in words.enumerated() {
      for pair in Self.pairs(word.symbols) {
        counts[pair, default: 0] += word.count
        places[pair, default: []].insert(index)
      }
    }
    for (pair, count) in counts { queue.insert(Candidate(count: count, pair: pair)) }
  }

  mutating func merge(atMost limit: Int) {
    while merges.count < limit, let best = queue.removeMinimum() {
      guard counts[best.pair] == best.count else { continue }
      guard best.count >= 2 else { return }
      apply(best.pair)
    }
  }

  private mutating func apply(_ pair: BytePairs.Pair) {
    let (first, second) = (Int(pair >> 32), Int(UInt32(truncatingIfNeeded: pair)))
    let whole = tokens[first] + tokens[second]
    // A pair comes back where one of its tokens is spelled by another merge as well.
    if known.insert(pair).inserted { merges.append((tokens[first], tokens[second])) }
    // Two pairs can spell one token: it has the id of the first.
    let id = ids[whole] ?? tokens.count
    if id == tokens.count {
      tokens.append(whole)
      ids[whole] = id
    }
    var changed: Set<BytePairs.Pair> = []
    for index in places.removeValue(forKey: pair) ?? [] {
      let (before, count) = words[index]
      let after = Self.merged(before, first, second, into: id)
      guard after.count < before.count else { continue }
      for old in Self.pairs(before) {
        counts[old, default: 0] -= count
        changed.insert(old)
      }
      for new in Self.pairs(after) {
        counts[new, default: 0] += count
        places[new, default: []].insert(index)
        changed.insert(new)
      }
      words[index].symbols = after
    }
    counts[pair] = nil
    for other in changed {
      if let count = counts[other], count > 0 {
        queue.insert(Candidate(count: count, pair: other))
      }
    }
  }

  private static func pairs(_ symbols: [Int]) -> [BytePairs.Pair] {
    zip(symbols, symbols.dropFirst()).map { BytePairs.pair($0, $1) }
  }

  private static func merged(_ symbols: [Int], _ first: Int, _ second: Int, into id: Int) -> [Int] {
    var result: [Int] = []
    for symbol in symbols {
      if symbol == second, result.last == first {
        result[result.count - 1] = id
      } else {
        result.append(symbol)
      }
    }
    return result
  }
}
