/// Some consecutive samples of an epoch's order, which are shuffled among each other.
struct Block: Sendable {
  /// What there is of a sample.
  enum Entry: Sendable {
    case sample(EncodedSample)
    /// It cannot be read; why, as a clause with the shard's name.
    case absent(String)
    /// It belongs to another rank.
    case unread
  }

  /// The epoch, and the block of it.
  struct Place: Hashable {
    var epoch: Int
    var number: Int
  }

  /// The places in the epoch's order.
  let range: Range<Int>
  /// The entry that comes at each place of the block.
  let order: [Int]
  /// In the order of reading.
  var entries: [Entry] = []
  /// The number that each sample has in the set, and the name of its shard.
  var indices: [Int] = []
  var shardNames: [(end: Int, name: String)] = []

  /// The name of the shard of an entry.
  func shardName(_ entry: Int) -> String {
    shardNames.first { entry < $0.end }?.name ?? ""
  }
}

/// Reads blocks of a set one after the other: of neighbours in the same epoch, shards stay open.
struct BlockReader {
  private let images: ShardedImages
  private let options: DataLoader.Options
  private let batchesPerEpoch: Int
  private let blockSize: Int
  private let isCancelled: @Sendable () -> Bool
  private var order: (epoch: Int, shards: ShardOrder)?
  /// The shard that is being read, and why it cannot be read on.
  private var current: (shard: Int, next: Int, reader: ShardReader?, problem: String?)?
  /// What was found out about whole shards, a sentence each.
  private(set) var remarks: [String] = []

  init(
    _ set: ShardedImages, _ options: DataLoader.Options, batchesPerEpoch: Int, blockSize: Int,
    isCancelled: @escaping @Sendable () -> Bool
  ) {
    images = set
    self.options = options
    self.batchesPerEpoch = batchesPerEpoch
    self.blockSize = blockSize
    self.isCancelled = isCancelled
  }

  /// Reads a block: of ranks that share batches, the samples of one's own alone.
  ///
  /// Damage is part of the block; throws only when reading is cancelled.
  mutating func read(_ place: Block.Place) throws -> Block {
    let range = place.number * blockSize..<min((place.number + 1) * blockSize, images.count)
    var generator = SplitMix64(options.seed, UInt64(place.epoch), UInt64(place.number), 2)
    var block = Block(
      range: range,
      order: options.shuffles ? generator.permutation(range.count) : Array(0..<range.count))
    block.entries.reserveCapacity(range.count)
    block.indices.reserveCapacity(range.count)
    let wanted = wanted(of: block)
    remarks = []
    for piece in shardOrder(of: place.epoch).pieces(range) {
      try begin(piece)
      for number in piece.numbers {
        block.entries.append(try entry(number, isWanted: wanted[block.entries.count]))
        block.indices.append(images.index(shard: piece.shard, number: number))
      }
      block.shardNames.append((block.entries.count, images.shards[piece.shard].name))
      try end(piece)
    }
    return block
  }

  private mutating func shardOrder(of epoch: Int) -> ShardOrder {
    if let order, order.epoch == epoch { return order.shards }
    let shards = ShardOrder(
      images.shards, seed: options.seed, epoch: epoch, shuffles: options.shuffles)
    (order, current) = ((epoch, shards), nil)
    return shards
  }

  /// Which entries this rank reads, in the order of reading.
  private func wanted(of block: Block) -> [Bool] {
    guard options.ranks > 1 else { return [Bool](repeating: true, count: block.range.count) }
    var wanted = [Bool](repeating: false, count: block.range.count)
    var batch = block.range.lowerBound / options.batchSize
    while batch < batchesPerEpoch, batch * options.batchSize < block.range.upperBound {
      let places = options.places(ofBatch: batch, count: images.count)
      let share = options.share(of: places).range
      for place in share.map({ places.lowerBound + $0 }) where block.range.contains(place) {
        wanted[block.order[place - block.range.lowerBound]] = true
      }
      batch += 1
    }
    return wanted
  }

  /// Opens a piece's shard at its first sample, unless it is open there.
  private mutating func begin(_ piece: ShardOrder.Piece) throws {
    let first = piece.numbers.lowerBound
    if let current, current.shard == piece.shard, current.next == first { return }
    let shard = images.shards[piece.shard]
    current = nil  // What was open is closed before the next one is opened.
    do {
      let reader = try ShardReader(shard, isCancelled: isCancelled)
      current = (piece.shard, first, reader, nil)
      try reader.skip(to: first)
    } catch let error as ShardError {
      fail(piece.shard, next: first, "\(shard.name): \(error.problem)")
    }
  }

  private mutating func fail(_ shard: Int, next: Int, _ problem: String) {
    current = (shard, next, nil, problem)
  }

  private mutating func entry(_ number: Int, isWanted: Bool) throws -> Block.Entry {
    guard let (shard, _, reader, problem) = current else { preconditionFailure("nothing is open") }
    current?.next = number + 1
    guard let reader else { return .absent(problem ?? "") }
    let name = reader.shard.name
    do {
      if let sample = try reader.read(isWanted ? .everything : .nothing) {
        return isWanted ? .sample(sample) : .unread
      }
      let ending = try reader.ending()
      let count = reader.shard.count
      fail(
        shard, next: number + 1,
        "\(name): it ends after \(reader.next) of \(count) samples\(ending.map { ", and \($0)" } ?? "")"
      )
    } catch let error as ShardError {
      let ending = try? reader.ending()
      fail(
        shard, next: number + 1,
        "\(name): \(error.problem)\((ending ?? nil).map { ", and \($0)" } ?? "")")
    }
    return .absent(current?.problem ?? "")
  }

  /// Closes the shard of a piece that is at its end.
  private mutating func end(_ piece: ShardOrder.Piece) throws {
    let shard = images.shards[piece.shard]
    guard piece.numbers.upperBound == shard.samples.upperBound else { return }
    if let reader = current?.reader, piece.numbers.upperBound == shard.count {
      do {
        if let remark = try reader.ending() { remarks.append("\(shard.name): \(remark)") }
      } catch let error as ShardError {
        remarks.append("\(shard.name): \(error.problem)")
      }
    }
    current = nil
  }
}
