import Datasets
import Torch

/// A batch in equal parts that go through the networks one after another, so that only one part's
/// graph is held at a time (gradient accumulation). With shares as weights, the parts' gradients add
/// up to the batch's, over all ranks that share it.
struct BatchParts: Sequence {
  /// Some consecutive pictures of a batch.
  struct Part {
    let range: Range<Int>
    /// How much it counts: its share of the rank's pictures, times the rank's own weight.
    let share: Double
    fileprivate let isWhole: Bool

    /// The part's elements of a tensor `[N, …]`.
    func callAsFunction(_ whole: Tensor) -> Tensor {
      isWhole ? whole : whole[range]
    }
  }

  private let parts: [Part]

  /// A rank's share of a batch in at most `parts` parts, of which the first are larger by one where
  /// that does not divide.
  init(of batch: Batch.Share, in parts: Int) {
    let count = batch.range.count
    let parts = Swift.max(1, Swift.min(parts, count))
    self.parts = (0..<parts).map { index in
      let range = (0..<count).part(index, of: parts)
      return Part(
        range: range, share: batch.weight * Double(range.count) / Double(count),
        isWhole: parts == 1)
    }
  }

  /// How many there are.
  var count: Int { parts.count }

  func makeIterator() -> IndexingIterator<[Part]> { parts.makeIterator() }

  /// What is wrong with a recipe's `accumulation`, if something is.
  static func problem(_ accumulation: Int, of batchSize: Int) -> String? {
    (1...batchSize).contains(accumulation)
      ? nil
      : "accumulation is \(accumulation); it must lie in 1...\(batchSize), the pictures of a batch"
  }
}
