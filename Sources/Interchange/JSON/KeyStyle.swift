extension JSON {
  /// How the names of Swift properties become keys.
  public enum KeyStyle: Sendable {
    /// `learningRate` is written as `learning_rate`, `useEMAWeights` as `use_ema_weights`.
    case snakeCase
    /// Keys are the names of the properties.
    case asWritten

    /// The key for the property `name`.
    public func key(for name: String) -> String {
      switch self {
      case .asWritten: name
      case .snakeCase: snakeCased(name)
      }
    }
  }
}

/// An underscore goes before a capital that follows a small letter or a digit, and before the last
/// capital of a run that a small letter follows.
private func snakeCased(_ name: String) -> String {
  let letters = Array(name)
  var result = ""
  for (index, letter) in letters.enumerated() {
    guard letter.isUppercase else {
      result.append(letter)
      continue
    }
    if index > 0, letters[index - 1] != "_" {
      let endsRun = index + 1 < letters.count && letters[index + 1].isLowercase
      if !letters[index - 1].isUppercase || endsRun { result.append("_") }
    }
    result += letter.lowercased()
  }
  return result
}
