import Datasets
import Interchange
import Torch
import Training

/// What a classifier is measured by: which classes it finds and which it takes for others.
public struct ClassifierReport {
  /// The figures.
  public let classification: ClassificationReport
  /// The figures by name, for machines.
  public let json: JSONObject
  /// The same for people.
  public let lines: [String]

  /// Measures a classifier on the first `limit` pictures of a set.
  ///
  /// Throws `EvaluationError` for pictures without classes, or with others than the classifier's;
  /// and when a picture cannot be read.
  public init(
    of run: TrainedClassifier, on set: any Dataset, limit: Int = .max,
    progress: (Double) throws -> Void = { _ in }
  ) throws {
    let names = run.classifier.config.classNames
    guard set.classNames == names else {
      let theirs = set.classNames ?? []
      throw EvaluationError(
        path: set.name,
        "the classes of these pictures are \(theirs.summary), and the classifier knows "
          + "\(names.summary); measure it on data with its own classes.")
    }
    let count = min(set.count, limit)
    var (found, actual) = ([Int](), [Int]())
    for start in stride(from: 0, to: count, by: 500) {
      let range = start..<min(start + 500, count)
      found += run(try set.pictures(range)).logits.argmax(1).elements(as: Int.self)
      actual += range.compactMap { set.label(at: $0) }
      try progress(Double(range.upperBound) / Double(count))
    }
    guard actual.count == found.count else {
      throw EvaluationError(path: set.name, "some of these pictures have no class.")
    }
    classification = try ClassificationReport(
      predicted: found, actual: actual, classes: names.count)
    var json: JSONObject = [
      "run": .string(run.folder.path), "family": .string(run.family.rawValue),
      "data": .string(set.name), "count": .int(count),
    ]
    for (key, value) in classification.json(names: names) { json[key] = value }
    self.json = json
    lines =
      ["\(run.folder.path) on \(count) pictures of \(set.name)"]
      + classification.lines(names: names)
  }
}

extension [String] {
  /// The first names, and how many more there are.
  fileprivate var summary: String {
    guard !isEmpty else { return "none" }
    let shown = prefix(5).joined(separator: ", ")
    return count > 5 ? "\(shown) and \(count - 5) more" : shown
  }
}
