/// JSON that is malformed or does not hold what was asked for.
public struct JSONError: ExplainedError, Equatable {
  /// The file, where the text came from one.
  public let path: String?
  /// What is wrong, where, and what to do, as one sentence.
  public let sentence: String

  /// Makes an error about the JSON in `path`, or in memory when that is nil.
  public init(path: String? = nil, sentence: String) {
    self.path = path
    self.sentence = sentence
  }

  func at(path: String) -> JSONError { JSONError(path: path, sentence: sentence) }
}
