import Foundation

/// The threads behind a loader. They take numbered orders, make whole batches, and may be ahead of
/// the reader by a fixed number of batches.
final class BatchProducer: Sendable {
  private let state: State

  init(_ dataset: any Dataset, _ options: DataLoader.Options, batchesPerEpoch: Int) {
    let state = State(dataset, options, batchesPerEpoch)
    self.state = state
    for _ in 0..<options.workers {
      // Threads hold the state alone, so that the loader can go away and end them.
      Thread.detachNewThread { state.work() }
    }
  }

  func next() throws -> Batch { try state.take() }

  /// Returns when the last thread has ended.
  func cancel() { state.cancel() }

  /// Everything the threads share; `condition` guards every `var`.
  private final class State: @unchecked Sendable {
    private let dataset: any Dataset
    private let options: DataLoader.Options
    private let batchesPerEpoch: Int
    private let condition = NSCondition()
    private var finished: [Int: Result<Batch, any Error>] = [:]
    private var orders: [Int: [Int]] = [:]
    private var nextToMake = 0
    private var nextToTake = 0
    private var running: Int
    private var isCancelled = false
    private var isStuck = false

    init(_ dataset: any Dataset, _ options: DataLoader.Options, _ batchesPerEpoch: Int) {
      self.dataset = dataset
      self.options = options
      self.batchesPerEpoch = batchesPerEpoch
      running = options.workers
    }

    func work() {
      while let (number, position, order) = nextJob() {
        let batch = Result { try make(position, order) }
        condition.withLock {
          finished[number] = batch
          condition.broadcast()
        }
      }
      condition.withLock {
        running -= 1
        condition.broadcast()
      }
    }

    func take() throws -> Batch {
      condition.lock()
      defer { condition.unlock() }
      var waited = 0
      while finished[nextToTake] == nil {
        // By single seconds: a process that was suspended has not waited all the while.
        if condition.wait(until: Date(timeIntervalSinceNow: 1)) { continue }
        waited += 1
        guard waited < options.patience else {
          isStuck = true
          throw DatasetError(
            path: dataset.name,
            sentence: "no batch came for \(options.patience) seconds: reading hangs (a network "
              + "drive that is gone, a pipe that nobody fills?).")
        }
      }
      // A failure stays where it is, so that every later call meets it again.
      guard let batch = try finished[nextToTake]?.get() else { preconditionFailure("just seen") }
      finished[nextToTake] = nil
      nextToTake += 1
      condition.broadcast()
      return batch
    }

    func cancel() {
      condition.lock()
      isCancelled = true
      condition.broadcast()
      var waited = 0
      while running > 0, !isStuck, waited < min(options.patience, 10) {
        if !condition.wait(until: Date(timeIntervalSinceNow: 1)) { waited += 1 }
      }
      condition.unlock()
    }

    private func nextJob() -> (Int, DataLoader.Position, [Int])? {
      condition.lock()
      defer { condition.unlock() }
      // Two batches a thread ahead of the reader.
      while !isCancelled, nextToMake >= nextToTake + 2 * options.workers { condition.wait() }
      guard !isCancelled else { return nil }
      let number = nextToMake
      nextToMake += 1
      let position = position(number)
      let oldest = self.position(nextToTake).epoch
      orders = orders.filter { $0.key >= oldest }
      let order = orders[position.epoch] ?? order(position.epoch)
      orders[position.epoch] = order
      return (number, position, order)
    }

    private func position(_ number: Int) -> DataLoader.Position {
      let batch = options.start.batch + number
      return DataLoader.Position(
        epoch: options.start.epoch + batch / batchesPerEpoch, batch: batch % batchesPerEpoch)
    }

    private func order(_ epoch: Int) -> [Int] {
      guard options.shuffles else { return Array(0..<dataset.count) }
      var generator = SplitMix64(options.seed, UInt64(epoch))
      return generator.permutation(dataset.count)
    }

    private func make(_ position: DataLoader.Position, _ order: [Int]) throws -> Batch {
      let first = position.batch * options.batchSize
      let whole = order[first..<min(first + options.batchSize, order.count)]
      let share = Batch.Share(of: whole.count, rank: options.rank, ranks: options.ranks)
      let indices = Array(whole.dropFirst(share.range.lowerBound).prefix(share.range.count))
      return try Batch(of: dataset, indices: indices, position: position, share: share) { index in
        guard options.flips else { return false }
        var generator = SplitMix64(options.seed, UInt64(position.epoch), UInt64(index), 1)
        return generator.next() & 1 == 1
      }
    }
  }
}
