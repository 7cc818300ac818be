import Foundation

/// Batches of a data set in an order that depends on the seed and the epoch alone, made ahead of
/// time by threads of its own.
///
/// The order of epoch e is a Fisher-Yates shuffle of `0..<count`, driven by SplitMix64 that starts
/// from (seed, e); whether element i is mirrored is the lowest bit of the first number of SplitMix64
/// from (seed, e, i, 1). Neither depends on the number of threads or on where reading began. Sets in
/// shards have an order of their own, that of `ShardedImages`.
///
/// For use by one thread at a time. The threads end with the loader, and before its `deinit` returns,
/// unless they are stuck: it waits ten seconds for them at most.
public final class DataLoader {
  /// A place in the endless row of batches.
  public struct Position: Sendable, Equatable, Codable {
    /// The pass over the set, from 0.
    public var epoch: Int
    /// The batch of that pass, from 0.
    public var batch: Int

    /// Makes a place; by default the beginning.
    public init(epoch: Int = 0, batch: Int = 0) {
      self.epoch = epoch
      self.batch = batch
    }
  }

  /// How a set is cut into batches.
  public struct Options: Sendable {
    /// The number of elements in a batch.
    public var batchSize: Int
    /// Names the order of every epoch.
    public var seed: UInt64
    /// Whether the order changes from epoch to epoch; otherwise elements come as the set has them.
    public var shuffles: Bool
    /// Whether a last batch that is not full is left out.
    public var dropsLast: Bool
    /// Whether half of the pictures are mirrored from left to right.
    public var flips: Bool
    /// The number of threads that make batches; nil for one, and for several where pictures are
    /// decoded on the way.
    public var workers: Int?
    /// The first batch to deliver; that of a checkpoint when resuming.
    public var start: Position
    /// Which of the ranks that share every batch this is, from 0.
    public var rank: Int
    /// How many ranks share every batch. Each gets its own part of it, so that the batches and their
    /// order do not depend on how many there are.
    public var ranks: Int
    /// The samples that are shuffled among each other where a set comes in order; nil for what the
    /// set says. A block is never smaller than a batch.
    public var shuffleBuffer: Int?
    /// Seconds that a reader waits for a batch before it takes the threads for stuck.
    public var patience = 300

    /// Options for training; for judging set `shuffles` and `dropsLast` to false.
    public init(
      batchSize: Int, seed: UInt64, shuffles: Bool = true, dropsLast: Bool = true,
      flips: Bool = false, workers: Int? = nil, start: Position = Position(), rank: Int = 0,
      ranks: Int = 1
    ) {
      self.batchSize = batchSize
      self.seed = seed
      self.shuffles = shuffles
      self.dropsLast = dropsLast
      self.flips = flips
      self.workers = workers
      self.start = start
      self.rank = rank
      self.ranks = ranks
    }
  }

  /// The number of batches in an epoch.
  public let batchesPerEpoch: Int
  /// The place of the batch that `next()` delivers next: what a checkpoint has to save.
  public private(set) var position: Position
  /// Seconds that `next()` waited for batches.
  public private(set) var waited = 0.0
  private let source: any BatchSource
  private let producer: BatchProducer

  /// Starts to make batches.
  ///
  /// - Throws: `DatasetError` when the set is empty or smaller than a batch that has to be full, or
  ///   the options make no sense for it.
  public init(_ dataset: any Dataset, _ options: Options) throws(DatasetError) {
    func failure(_ sentence: String) -> DatasetError {
      DatasetError(path: dataset.name, sentence: sentence)
    }
    guard options.batchSize > 0, options.workers ?? 1 > 0, options.shuffleBuffer ?? 1 > 0 else {
      throw failure(
        "batch size, shuffle buffer and number of loader threads have to be at least 1.")
    }
    precondition((0..<options.ranks).contains(options.rank), "a rank is one of the ranks")
    guard dataset.count > 0 else { throw failure("the set is empty.") }
    guard !options.dropsLast || options.batchSize <= dataset.count else {
      throw failure(
        "the set has \(dataset.count) elements, fewer than one batch of \(options.batchSize); choose a smaller --batch-size."
      )
    }
    let isPicture = dataset.elementShape.count == 3 && dataset.elementKind == .bytes
    guard !options.flips || isPicture else { throw failure("only pictures can be mirrored.") }
    let full = dataset.count / options.batchSize
    let hasRest = !options.dropsLast && !dataset.count.isMultiple(of: options.batchSize)
    batchesPerEpoch = full + (hasRest ? 1 : 0)
    let start = options.start
    guard start.epoch >= 0, start.epoch < 1 << 32, start.batch >= 0, start.batch < batchesPerEpoch
    else {
      throw failure(
        "an epoch has \(batchesPerEpoch) batches, so reading cannot begin at batch \(start.batch) of epoch \(start.epoch)."
      )
    }
    position = start
    if let shards = dataset as? ShardedImages {
      source = StreamedBatches(shards, options, batchesPerEpoch: batchesPerEpoch)
    } else {
      source = IndexedBatches(dataset, options)
    }
    let workers = options.workers ?? (source.readsAhead ? Self.decoders : 1)
    // Two batches a thread, and more of small ones; a set in shards counts on two.
    let size = options.batchSize * max(1, dataset.elementByteCount)
    let each = source.readsAhead ? 2 : max(2, min(16, Self.readyBytes / size))
    producer = BatchProducer(
      source, options, workers: workers, ahead: workers * each, batchesPerEpoch: batchesPerEpoch)
  }

  /// How much may lie ready for each thread, if that is more than two batches.
  private static let readyBytes = 1 << 21

  /// Threads that decode pictures: half of the processors, since training wants the others.
  private static var decoders: Int {
    max(1, min(8, ProcessInfo.processInfo.activeProcessorCount / 2))
  }

  deinit { producer.cancel() }

  /// The next batch; after the last one of an epoch the next epoch begins.
  ///
  /// - Throws: What the set threw while the batch was made; from then on every call throws it.
  ///   `DatasetError` when no batch came for as long as the options' patience.
  public func next() throws -> Batch {
    let start = ContinuousClock.now
    let batch = try producer.next()
    waited += (.now - start) / .seconds(1)
    try source.deliver(batch)
    position.batch += 1
    if position.batch == batchesPerEpoch { position = Position(epoch: position.epoch + 1) }
    return batch
  }

  /// What went wrong with the data since this was asked last, for a person, a sentence each.
  public func takeNotes() -> [String] { source.takeNotes() }

  /// Samples that were damaged so far, with others in their place.
  public var damagedCount: Int { source.damagedCount }

  /// Calls `body` with the batches that are left of the current epoch.
  ///
  /// - Throws: What the set threw, or what `body` throws.
  public func forEachInEpoch(_ body: (Batch) throws -> Void) throws {
    let epoch = position.epoch
    while position.epoch == epoch { try body(next()) }
  }
}
