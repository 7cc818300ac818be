import Synchronization

/// Batches of a set whose elements can be asked for in any order.
final class IndexedBatches: BatchSource {
  private let dataset: any Dataset
  private let options: DataLoader.Options
  /// The order of the newest epochs: threads may be at the end of one and the beginning of the next.
  private let orders = Mutex<[Int: [Int]]>([:])

  init(_ dataset: any Dataset, _ options: DataLoader.Options) {
    self.dataset = dataset
    self.options = options
  }

  var name: String { dataset.name }

  func batch(at position: DataLoader.Position) throws -> Batch {
    let order = order(position.epoch)
    let places = options.places(ofBatch: position.batch, count: order.count)
    let share = options.share(of: places)
    let indices = places.dropFirst(share.range.lowerBound).prefix(share.range.count).map {
      order[$0]
    }
    return try Batch(of: dataset, count: indices.count, position: position, share: share) {
      place, destination in
      let index = indices[place]
      try dataset.copyElement(at: index, into: destination)
      return Batch.Element(
        index: index, label: dataset.label(at: index), caption: dataset.caption(at: index),
        isFlipped: options.isFlipped(index, epoch: position.epoch))
    }
  }

  private func order(_ epoch: Int) -> [Int] {
    orders.withLock { orders in
      if let order = orders[epoch] { return order }
      var generator = SplitMix64(options.seed, UInt64(epoch))
      let order =
        options.shuffles ? generator.permutation(dataset.count) : Array(0..<dataset.count)
      orders = orders.filter { $0.key >= epoch - 1 }
      orders[epoch] = order
      return order
    }
  }
}
