import Datasets
import Torch

/// A batch in equal parts that go through the networks one after another, so that only one part's
/// graph is held at a time (gradient accumulation). With shares as weights, the parts' gradients add
/// up to the batch's.
struct BatchParts: Sequence {
  /// Some consecutive pictures of a batch.
  struct Part {
    let range: Range<Int>
    /// Of all pictures of the batch.
    let share: Double

    /// The part's elements of a tensor `[N, …]`.
    func callAsFunction(_ whole: Tensor) -> Tensor {
      share == 1 ? whole : whole[range]
    }
  }

  private let parts: [Part]

  /// `count` pictures in at most `parts` parts, of which the first are larger by one where that does
  /// not divide.
  init(of count: Int, in parts: Int) {
    let parts = Swift.max(1, Swift.min(parts, count))
    self.parts = (0..<parts).map { index in
      let range = (0..<count).part(index, of: parts)
      return Part(range: range, share: Double(range.count) / Double(Swift.max(count, 1)))
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
