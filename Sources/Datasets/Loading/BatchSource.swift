/// Where the threads of a loader get batches from.
protocol BatchSource: Sendable {
  /// What errors call the data.
  var name: String { get }
  /// Whether `readAhead` has something to do.
  var readsAhead: Bool { get }

  /// Makes the batch at a place. Several threads call it at once, for places in their order.
  func batch(at position: DataLoader.Position) throws -> Batch
  /// Prepares what batches are made of, on a thread of its own, until `cancel`.
  func readAhead()
  /// Ends `readAhead`, and calls of `batch` that wait for it.
  func cancel()
  /// Hears of each batch that is handed on, in their order. Throws when too much was damaged.
  func deliver(_ batch: Batch) throws
  /// What went wrong since this was asked last, for a person, a sentence each.
  func takeNotes() -> [String]
  /// Samples that were damaged in the batches so far, with others in their place.
  var damagedCount: Int { get }
}

extension BatchSource {
  /// Nothing to do.
  var readsAhead: Bool { false }
  func readAhead() {}
  func cancel() {}
  func deliver(_ batch: Batch) {}
  func takeNotes() -> [String] { [] }
  var damagedCount: Int { 0 }
}

extension DataLoader.Options {
  /// The elements of a batch by their places in the order of an epoch of `count`.
  func places(ofBatch batch: Int, count: Int) -> Range<Int> {
    batch * batchSize..<min((batch + 1) * batchSize, count)
  }

  /// This rank's part of a batch.
  func share(of places: Range<Int>) -> Batch.Share {
    Batch.Share(of: places.count, rank: rank, ranks: ranks)
  }

  /// Whether the element `index` is mirrored in an epoch.
  func isFlipped(_ index: Int, epoch: Int) -> Bool {
    guard flips else { return false }
    var generator = SplitMix64(seed, UInt64(epoch), UInt64(index), 1)
    return generator.next() & 1 == 1
  }
}
