import Foundation

/// The threads behind a loader. They take numbered orders, make whole batches, and may be ahead of
/// the reader by a fixed number of batches.
final class BatchProducer: Sendable {
  private let state: State

  init(
    _ source: any BatchSource, _ options: DataLoader.Options, workers: Int, ahead: Int,
    batchesPerEpoch: Int
  ) {
    let state = State(source, options, workers, ahead, batchesPerEpoch)
    self.state = state
    // Threads hold the state alone, so that the loader can go away and end them.
    for _ in 0..<workers { Thread.detachNewThread { state.work() } }
    if source.readsAhead { Thread.detachNewThread { state.readAhead() } }
  }

  func next() throws -> Batch { try state.take() }

  /// Returns when the last thread has ended.
  func cancel() { state.cancel() }

  /// Everything the threads share; `condition` guards every `var`.
  private final class State: @unchecked Sendable {
    private let source: any BatchSource
    private let options: DataLoader.Options
    /// Batches that may be made before they are taken.
    private let ahead: Int
    private let batchesPerEpoch: Int
    private let condition = NSCondition()
    private var finished: [Int: Result<Batch, any Error>] = [:]
    private var nextToMake = 0
    private var nextToTake = 0
    private var running: Int
    private var isCancelled = false
    private var isStuck = false

    init(
      _ source: any BatchSource, _ options: DataLoader.Options, _ workers: Int, _ ahead: Int,
      _ batchesPerEpoch: Int
    ) {
      self.source = source
      self.options = options
      self.ahead = ahead
      self.batchesPerEpoch = batchesPerEpoch
      running = workers + (source.readsAhead ? 1 : 0)
    }

    func work() {
      while let number = nextJob() {
        let batch = Result { try source.batch(at: position(number)) }
        condition.withLock {
          finished[number] = batch
          condition.broadcast()
        }
      }
      end()
    }

    func readAhead() {
      source.readAhead()
      end()
    }

    private func end() {
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
            path: source.name,
            sentence: "no batch came for \(options.patience) seconds: reading hangs (a network "
              + "drive that is gone, a pipe that nobody fills?).")
        }
      }
      // A failure stays where it is, so that every later call meets it again.
      guard let batch = try finished[nextToTake]?.get() else { preconditionFailure("just seen") }
      finished[nextToTake] = nil
      nextToTake += 1
      // Waking a thread for every batch would cost more than a small one.
      if nextToMake - nextToTake <= ahead / 2 { condition.broadcast() }
      return batch
    }

    func cancel() {
      source.cancel()
      condition.lock()
      isCancelled = true
      condition.broadcast()
      var waited = 0
      while running > 0, !isStuck, waited < min(options.patience, 10) {
        if !condition.wait(until: Date(timeIntervalSinceNow: 1)) { waited += 1 }
      }
      condition.unlock()
    }

    private func nextJob() -> Int? {
      condition.lock()
      defer { condition.unlock() }
      while !isCancelled, nextToMake >= nextToTake + ahead { condition.wait() }
      guard !isCancelled else { return nil }
      nextToMake += 1
      return nextToMake - 1
    }

    private func position(_ number: Int) -> DataLoader.Position {
      let batch = options.start.batch + number
      return DataLoader.Position(
        epoch: options.start.epoch + batch / batchesPerEpoch, batch: batch % batchesPerEpoch)
    }
  }
}
