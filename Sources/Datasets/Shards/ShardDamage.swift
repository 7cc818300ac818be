import Interchange

/// What was found damaged in shards: how much, and the first names.
struct ShardDamage {
  /// Samples that had their turn.
  private(set) var read = 0
  /// Those of them that were damaged.
  private(set) var count = 0
  private var examples: [String] = []
  /// The count from which on a person is told again.
  private var nextTold = 1
  private var remarks: [String] = []
  private var told: Set<String> = []

  /// Names that are told.
  private static let mostExamples = 5
  /// Single shards that are told of.
  private static let mostRemarks = 20

  /// Counts samples that had their turn.
  mutating func read(_ count: Int) { read += count }

  /// Counts a damaged sample.
  mutating func add(_ problem: String) {
    count += 1
    if examples.count < Self.mostExamples, !examples.contains(problem) { examples.append(problem) }
  }

  /// Notes something about a whole shard, once.
  mutating func remark(_ sentence: String) {
    guard told.count < Self.mostRemarks, told.insert(sentence).inserted else { return }
    remarks.append(sentence)
  }

  /// What is told of so much damage that going on makes no sense: more than 100 samples and a
  /// hundredth of those that were read.
  func failure(of name: String) -> DatasetError? {
    guard count > 100 + read / 100 else { return nil }
    return DatasetError(
      path: name,
      sentence: "\(count) of the \(read) samples read so far are damaged, more than 100 and one in "
        + "a hundred (\(list)); write the shards anew, or leave the damaged ones out.")
  }

  /// Whatever was not told yet, a sentence each: the count when it is ten times what it was.
  mutating func takeNotes() -> [String] {
    defer { remarks = [] }
    guard count >= nextTold else { return remarks }
    nextTold = count * 10
    return remarks + [
      "\(count) of the \(read) samples read so far \(count == 1 ? "is" : "are") damaged and left "
        + "out, with others in their place: \(list)"
    ]
  }

  private var list: String {
    examples.joined(separator: "; ") + (count > examples.count ? "; …" : "")
  }
}
