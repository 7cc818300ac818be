/// The order in which an epoch goes through shards: the shards in a permutation of SplitMix64 from
/// (seed, epoch), the samples of each as they stand.
struct ShardOrder {
  /// Consecutive samples of one shard.
  struct Piece: Equatable {
    /// The place of the shard in the set.
    let shard: Int
    /// The samples, as the shard numbers them.
    let numbers: Range<Int>
  }

  private let shards: [Shard]
  private let order: [Int]
  /// How many samples come before each shard of the order, and all of them.
  private let starts: [Int]

  init(_ shards: [Shard], seed: UInt64, epoch: Int, shuffles: Bool) {
    self.shards = shards
    var generator = SplitMix64(seed, UInt64(epoch))
    order = shuffles ? generator.permutation(shards.count) : Array(shards.indices)
    starts = order.reduce(into: [0]) { $0.append(($0.last ?? 0) + shards[$1].samples.count) }
  }

  /// The samples with places in a range, shard after shard.
  func pieces(_ range: Range<Int>) -> [Piece] {
    var pieces: [Piece] = []
    var (slot, place) = (starts.slot(of: range.lowerBound), range.lowerBound)
    while place < range.upperBound {
      let shard = order[slot]
      let end = min(range.upperBound, starts[slot + 1])
      let first = shards[shard].samples.lowerBound - starts[slot]
      if end > place { pieces.append(Piece(shard: shard, numbers: first + place..<first + end)) }
      (slot, place) = (slot + 1, end)
    }
    return pieces
  }
}

extension [Int] {
  /// Of rising starts and the end of the last one, the last start at or before a place.
  func slot(of place: Int) -> Int {
    var (low, high) = (0, count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if self[middle] <= place { low = middle } else { high = middle }
    }
    return low
  }
}
