/// How well predicted classes agree with true ones; of conditional samples, whether a classifier sees
/// what was asked for.
public struct ClassificationReport: Sendable, Equatable {
  /// The figures of one class.
  public struct ClassScores: Sendable, Equatable {
    /// The share of predictions of this class that are right; 0 where it is never predicted.
    public let precision: Double
    /// The share of this class that is predicted as such; 0 where it never occurs.
    public let recall: Double
    /// The harmonic mean of both; 0 where both are.
    public let f1: Double
    /// How often the class occurs.
    public let support: Int
    /// How often it is predicted.
    public let predicted: Int
  }

  /// How often the class of the row was predicted as that of the column.
  public let confusion: [[Int]]
  /// The share of right predictions.
  public let accuracy: Double
  /// By class.
  public let classes: [ClassScores]
  /// The mean precision of the classes that occur or are predicted, each counted once.
  public let macroPrecision: Double
  /// The mean recall of the same classes.
  public let macroRecall: Double
  /// The mean F1 of the same classes.
  public let macroF1: Double

  /// Compares predictions with the truth, both in `0..<classes`.
  ///
  /// - Throws: `EvaluationError` without any prediction.
  public init(predicted: [Int], actual: [Int], classes count: Int) throws(EvaluationError) {
    precondition(predicted.count == actual.count, "one prediction a label")
    guard !actual.isEmpty else {
      throw EvaluationError("there is no prediction to compare with a label; give samples.")
    }
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
    for (guess, truth) in zip(predicted, actual) { confusion[truth][guess] += 1 }
    self.confusion = confusion
    let classes = (0..<count).map { c in
      let (support, guesses) = (confusion[c].reduce(0, +), confusion.reduce(0) { $0 + $1[c] })
      let hits = Double(confusion[c][c])
      return ClassScores(
        precision: ratio(hits, Double(guesses)), recall: ratio(hits, Double(support)),
        f1: ratio(2 * hits, Double(guesses + support)), support: support, predicted: guesses)
    }
    self.classes = classes
    accuracy = Double((0..<count).reduce(0) { $0 + confusion[$1][$1] }) / Double(actual.count)
    let seen = classes.filter { $0.support + $0.predicted > 0 }
    func macro(_ figure: (ClassScores) -> Double) -> Double {
      seen.reduce(0) { $0 + figure($1) } / Double(seen.count)
    }
    (macroPrecision, macroRecall, macroF1) = (macro(\.precision), macro(\.recall), macro(\.f1))
  }
}

private func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }
