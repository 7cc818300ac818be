import Foundation

/// An error that a person can act on: what it concerns and one sentence that says what is wrong
/// and what to do.
public protocol ExplainedError: LocalizedError, CustomStringConvertible, Sendable {
  /// The file, folder or other source that the error concerns, if there is one.
  var path: String? { get }
  /// What is wrong and what to do, as one sentence.
  var sentence: String { get }
}

extension ExplainedError {
  /// The path, if any, then the sentence.
  public var description: String { path.map { "\($0): \(sentence)" } ?? sentence }

  /// The same text as `description`, for `localizedDescription`.
  public var errorDescription: String? { description }
}
