import Interchange

/// A measurement that could not be made: what it concerns and what to do.
public struct EvaluationError: ExplainedError, Equatable {
  /// The run, folder or file that the error concerns, if there is one.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// An error about a path, or about none.
  public init(path: String? = nil, _ sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}
