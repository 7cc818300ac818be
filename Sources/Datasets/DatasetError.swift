import Interchange

/// A data set that cannot be opened or read.
public struct DatasetError: ExplainedError, Equatable {
  /// The name, file or folder that the error concerns.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// Makes an error about the set or file at `path`.
  public init(path: String?, sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}
