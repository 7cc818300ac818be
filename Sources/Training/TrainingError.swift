import Interchange

/// A training that could not start or go on: what it concerns and what to do.
public struct TrainingError: ExplainedError, Equatable {
  /// The run folder or file that the error concerns, if there is one.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// An error about a path, or about none.
  public init(path: String? = nil, _ sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}
