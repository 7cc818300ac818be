/// The byte-pair tokenizer of CLIP's text encoders (Radford et al. 2021), which Stable Diffusion 1,
/// 2 and XL share; ids equal those of `CLIPTokenizer` in transformers 5.
///
/// A text becomes a window of ids: the beginning, the text's tokens, the end, then padding. Nothing
/// that a text holds is an error: bytes that no merge covers are tokens of their own.
public struct CLIPTokenizer: Sendable {
  /// The length of a window, 77 in every published model.
  public var windowLength: Int
  /// The id that begins a window.
  public let beginID: Int
  /// The id that ends a text.
  public let endID: Int
  /// The id that fills a window up.
  public let padID: Int
  /// The id of a byte that the vocabulary lacks; complete vocabularies lack none.
  public let unknownID: Int
  /// The tokens that are found in texts as a whole; padding that is a sign, such as `!`, is one.
  public let specialTokens: [SpecialToken]

  let pairs: BytePairs
  private let raw: SpecialTokenFinder
  private let normalized: SpecialTokenFinder
  private let tokens: [Int: String]

  init(
    pairs: BytePairs, specialTokens: [SpecialToken], begin: Int, end: Int, pad: Int, unknown: Int,
    windowLength: Int
  ) {
    self.pairs = pairs
    self.specialTokens = specialTokens
    (beginID, endID, padID, unknownID) = (begin, end, pad, unknown)
    self.windowLength = windowLength
    raw = SpecialTokenFinder(specialTokens.filter { !$0.isNormalized })
    normalized = SpecialTokenFinder(specialTokens.filter(\.isNormalized))
    // The vocabulary's order is no one's: of tokens that share an id the last by bytes counts.
    var tokens: [Int: String] = [:]
    for (token, id) in pairs.ids where tokens[id].map({ $0 < token }) ?? true { tokens[id] = token }
    for token in specialTokens { tokens[token.id] = token.content }
    self.tokens = tokens
  }

  /// One more than the largest id: the rows that an embedding table needs.
  public var vocabularySize: Int { (tokens.keys.max() ?? -1) + 1 }

  /// The ids of a text alone, without beginning, end and padding.
  public func ids(of text: String) -> [Int] {
    var ids: [Int] = []
    raw.split(
      Array(text.unicodeScalars),
      plain: { piece in
        normalized.split(
          WordScanner.cleaned(piece),
          plain: { words in
            WordScanner.forEachWord(of: words) {
              pairs.encode($0, unknown: unknownID, into: &ids)
            }
          },
          special: { ids.append($0.id) })
      },
      special: { ids.append($0.id) })
    return ids
  }

  /// The text of ids: lower-case, a space behind every word; ids that are no token are left out.
  public func text(of ids: some Sequence<Int>) -> String {
    var bytes: [UInt8] = []
    for id in ids {
      guard let token = tokens[id] else { continue }
      if token.hasSuffix(ByteAlphabet.endOfWord) {
        bytes += ByteAlphabet.bytes(of: token.dropLast(ByteAlphabet.endOfWord.count))
        bytes.append(UInt8(ascii: " "))
      } else {
        bytes += ByteAlphabet.bytes(of: token)
      }
    }
    if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
