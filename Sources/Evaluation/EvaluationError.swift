import Interchange
import Torch

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

extension Tensor {
  /// Throws unless every element is finite; `what` names them in the plural. A network that has
  /// diverged draws pictures that no measure means anything for.
  public func requireFinite(_ what: String) throws(EvaluationError) {
    let bad = isFinite().logicalNot().sum().intItem()
    guard bad == 0 else {
      throw EvaluationError(
        "\(bad) of \(count) numbers of the \(what) are infinite or not numbers; train again with a "
          + "lower learning rate, or take an earlier checkpoint.")
    }
  }
}
