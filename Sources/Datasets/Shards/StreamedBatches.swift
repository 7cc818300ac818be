import Foundation

/// Batches of a set in shards. One thread reads blocks ahead, those of the loader decode: at most two
/// blocks are held, however many shards there are.
///
/// For a sample that is damaged the next good one of its block stands in, and if there is none the
/// next one after the block; so a batch depends on the data, the seed and its place alone.
final class StreamedBatches: BatchSource, @unchecked Sendable {
  // Unchecked: `condition` guards every `var`.
  private let images: ShardedImages
  private let options: DataLoader.Options
  private let batchesPerEpoch: Int
  private let blockSize: Int
  private let condition = NSCondition()
  /// The blocks that were read, and how many batches still need each.
  private var blocks: [Block.Place: (block: Block, users: Int)] = [:]
  private var isCancelled = false
  private var damage = ShardDamage()

  init(_ set: ShardedImages, _ options: DataLoader.Options, batchesPerEpoch: Int) {
    images = set
    self.options = options
    self.batchesPerEpoch = batchesPerEpoch
    // A batch may reach over two blocks, and never over three.
    blockSize = max(options.shuffleBuffer ?? set.shuffleBuffer, options.batchSize)
  }

  var name: String { images.name }
  var readsAhead: Bool { true }

  // MARK: Reading

  func readAhead() {
    var reader = BlockReader(
      images, options, batchesPerEpoch: batchesPerEpoch, blockSize: blockSize
    ) { [self] in condition.withLock { isCancelled } }
    let start = options.start
    var place = Block.Place(
      epoch: start.epoch, number: start.batch * options.batchSize / blockSize)
    while true {
      let users = users(of: place)
      if users > 0 {
        guard waitForRoom(), let block = try? reader.read(place) else { return }
        condition.withLock {
          for remark in reader.remarks { damage.remark(remark) }
          blocks[place] = (block, users)
          condition.broadcast()
        }
      }
      place.number += 1
      if place.number * blockSize >= images.count {
        place = Block.Place(epoch: place.epoch + 1, number: 0)
      }
    }
  }

  /// Waits until a block can be read beside those that are needed; false when cancelled.
  private func waitForRoom() -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while !isCancelled, blocks.count >= 2 { condition.wait() }
    return !isCancelled
  }

  /// How many batches are still to be made with samples of a block.
  private func users(of place: Block.Place) -> Int {
    let first = place.number * blockSize
    let last = min(first + blockSize, images.count) - 1
    var batches = first / options.batchSize..<min(last / options.batchSize + 1, batchesPerEpoch)
    if place.epoch == options.start.epoch {
      batches = batches.clamped(to: options.start.batch..<Int.max)
    }
    return batches.count
  }

  func cancel() {
    condition.withLock {
      isCancelled = true
      condition.broadcast()
    }
  }

  // MARK: Batches

  func batch(at position: DataLoader.Position) throws -> Batch {
    let places = options.places(ofBatch: position.batch, count: images.count)
    let share = options.share(of: places)
    let numbers = places.lowerBound / blockSize...(places.upperBound - 1) / blockSize
    let needed = numbers.map { Block.Place(epoch: position.epoch, number: $0) }
    defer { release(needed) }
    let blocks = try needed.map(block)
    var problems: [String] = []
    var batch = try Batch(
      of: images, count: share.range.count, position: position, share: share
    ) { place, destination in
      let place = places.lowerBound + share.range.lowerBound + place
      let block = blocks[place / blockSize - numbers.lowerBound]
      let found = try element(place, of: block, epoch: position.epoch, destination, &problems)
      return Batch.Element(
        index: found.index, label: found.label, caption: found.caption,
        isFlipped: options.isFlipped(found.index, epoch: position.epoch))
    }
    batch.problems = problems
    return batch
  }

  /// Counts what was damaged when its turn has come, however far ahead batches were made.
  func deliver(_ batch: Batch) throws {
    try condition.withLock {
      damage.read(batch.count)
      for problem in batch.problems { damage.add(problem) }
      if let failure = damage.failure(of: name) { throw failure }
    }
  }

  /// A block when it has been read.
  private func block(_ place: Block.Place) throws -> Block {
    condition.lock()
    defer { condition.unlock() }
    while !isCancelled {
      if let found = blocks[place] { return found.block }
      condition.wait()
    }
    throw CancellationError()
  }

  private func release(_ places: [Block.Place]) {
    condition.withLock {
      for place in places {
        blocks[place]?.users -= 1
        if blocks[place]?.users == 0 { blocks[place] = nil }
      }
      condition.broadcast()
    }
  }

  private typealias Found = (index: Int, label: Int?, caption: String?)

  /// Decodes the sample at a place of the epoch, or the one that stands in for it.
  private func element(
    _ place: Int, of block: Block, epoch: Int, _ destination: UnsafeMutableRawBufferPointer,
    _ problems: inout [String]
  ) throws -> Found {
    let (count, first) = (block.range.count, place - block.range.lowerBound)
    for step in 0..<count {
      let entry = block.order[(first + step) % count]
      do throws(ShardError) {
        return try decode(entry, of: block, epoch: epoch, destination)
      } catch {
        if step == 0 { problems.append(error.problem) }
      }
    }
    let order = ShardOrder(
      images.shards, seed: options.seed, epoch: epoch, shuffles: options.shuffles)
    for step in 0..<images.count - count {
      let place = (block.range.upperBound + step) % images.count
      if condition.withLock({ isCancelled }) { throw CancellationError() }
      guard let piece = order.pieces(place..<place + 1).first,
        let found = try? read(piece.shard, piece.numbers.lowerBound, destination)
      else { continue }
      return found
    }
    throw DatasetError(path: name, sentence: "not one of its samples can be read.")
  }

  private func decode(
    _ entry: Int, of block: Block, epoch: Int, _ destination: UnsafeMutableRawBufferPointer
  ) throws(ShardError) -> Found {
    switch block.entries[entry] {
    case .absent(let problem): throw ShardError(problem: problem)
    case .sample(let sample):
      do throws(ShardError) {
        let (label, caption) = try images.decode(sample, into: destination)
        return (block.indices[entry], label, caption)
      } catch {
        throw ShardError(problem: "\(block.shardName(entry)): \(error.problem)")
      }
    case .unread:
      // Another rank's, wanted here because one of this rank is damaged.
      let (shard, number) = images.place(of: block.indices[entry])
      return try read(shard, number, destination)
    }
  }

  /// Reads and decodes a single sample.
  private func read(
    _ shard: Int, _ number: Int, _ destination: UnsafeMutableRawBufferPointer
  ) throws(ShardError) -> Found {
    let name = images.shards[shard].name
    do {
      let reader = try ShardReader(images.shards[shard]) { [self] in
        condition.withLock { isCancelled }
      }
      try reader.skip(to: number)
      guard let sample = try reader.read(.everything) else {
        throw ShardError(problem: "it ends after \(reader.next) samples")
      }
      let (label, caption) = try images.decode(sample, into: destination)
      return (images.index(shard: shard, number: number), label, caption)
    } catch let error as ShardError {
      throw ShardError(problem: "\(name): \(error.problem)")
    } catch {
      throw ShardError(problem: "\(name): reading was cancelled")
    }
  }

  func takeNotes() -> [String] { condition.withLock { damage.takeNotes() } }
  var damagedCount: Int { condition.withLock { damage.count } }
}
