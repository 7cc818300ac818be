import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ShardStreamTests {
  private let counts = [7, 30, 1, 25, 0, 40]  // 103 samples

  private func withShards(_ body: (ShardedImages) throws -> Void) throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, counts)
      try body(try ShardedImages(path: folder, split: .train))
    }
  }

  private func options(
    _ batchSize: Int = 10, buffer: Int = 16, workers: Int? = nil,
    start: DataLoader.Position = .init(), rank: Int = 0, ranks: Int = 1, dropsLast: Bool = false
  ) -> DataLoader.Options {
    var options = DataLoader.Options(
      batchSize: batchSize, seed: 5, dropsLast: dropsLast, flips: true, workers: workers,
      start: start, rank: rank, ranks: ranks)
    options.shuffleBuffer = buffer
    return options
  }

  @Test(arguments: [1, 3, 16, 64, 103, 5000])
  func everySampleOnceAnEpoch(buffer: Int) throws {
    try withShards { set in
      let found = try batches(of: set, options(buffer: buffer), epochs: 2)
      #expect(found.count == 22 && found[10].count == 3 && found[0].count == 10)
      let (first, second) = (found[..<11].flatMap(\.indices), found[11...].flatMap(\.indices))
      #expect(first.sorted() == Array(0..<103) && second.sorted() == Array(0..<103))
      #expect(first != second && first != first.sorted())
      for batch in found {
        #expect(batch.labels == batch.indices.map { $0 % 5 })
        #expect(batch.captions == batch.indices.map { "number \($0)" })
      }
      #expect(found.map(\.position.epoch) == (0..<22).map { $0 / 11 })
    }
  }

  /// The order is part of what a run's seed means, so it must never change.
  @Test func orderIsTheDocumentedOne() throws {
    try withShards { set in
      for epoch in 0..<2 {
        var generator = SplitMix64(5, UInt64(epoch))
        let starts = counts.indices.map { counts[..<$0].reduce(0, +) }
        let stream = generator.permutation(counts.count).flatMap { shard in
          (0..<counts[shard]).map { starts[shard] + $0 }
        }
        var order: [Int] = []
        for block in 0..<7 {
          let part = stream.dropFirst(16 * block).prefix(16)
          var generator = SplitMix64(5, UInt64(epoch), UInt64(block), 2)
          order += generator.permutation(part.count).map { part[part.startIndex + $0] }
        }
        let found = try batches(
          of: set, options(start: .init(epoch: epoch, batch: 0))
        ).flatMap(\.indices)
        #expect(found == order)
      }
    }
  }

  @Test(arguments: [1, 3], [4, 16, 200])
  func resumesAtEveryBatch(workers: Int, buffer: Int) throws {
    try withShards { set in
      let whole = try batches(of: set, options(buffer: buffer), epochs: 2)
      for start in whole.indices {
        let loader = try DataLoader(
          set, options(buffer: buffer, workers: workers, start: whole[start].position))
        for place in start..<min(start + 4, whole.count) {
          #expect(try loader.next() == whole[place], "\(start) \(place)")
        }
      }
    }
  }

  /// The ranks' parts are the batch, and a rank's part is the same for every number of threads.
  @Test(arguments: [2, 3, 12])
  func ranksShareBatches(ranks: Int) throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, counts) { number, bytes in
        number % 9 == 4 ? Tar.member("s\(number).png", "broken") : bytes
      }
      let set = try ShardedImages(path: folder, split: .train)
      let whole = try batches(of: set, options(), epochs: 2)
      let parts = try (0..<ranks).map {
        try batches(of: set, options(workers: 1 + $0 % 2, rank: $0, ranks: ranks), epochs: 2)
      }
      for (place, batch) in whole.enumerated() {
        let shares = parts.map { $0[place] }.filter { $0.share.weight > 0 }
        #expect(shares.flatMap(\.indices) == batch.indices)
        #expect(shares.flatMap(\.numbers).count == batch.count)
        #expect(shares.flatMap { $0.labels ?? [] } == batch.labels)
      }
    }
  }

  @Test func keepsTheOrderOfTheShards() throws {
    try withShards { set in
      var options = options(25, buffer: 16)
      (options.shuffles, options.dropsLast, options.flips) = (false, true, false)
      let loader = try DataLoader(set, options)
      #expect(loader.batchesPerEpoch == 4)
      for epoch in 0..<2 {
        var numbers: [Int] = []
        try loader.forEachInEpoch { numbers += $0.numbers }
        #expect(numbers == Array(0..<100), "\(epoch)")
      }
      #expect(loader.waited > 0)
    }
  }

  /// Two blocks are held and no more, however many shards there are.
  @Test func readsTwoBlocksAhead() throws {
    try withScratchFolder { folder throws in
      let count = 60
      for shard in 0..<count {
        let samples = try (0..<10).flatMap {
          try NumberedShards.sample(10 * shard + $0, labelled: false)
        }
        try put(samples + Tar.end, "\(folder)/\(shard).tar")
      }
      // Every command leaves a file when it starts.
      try NumberedShards.index(
        folder,
        (0..<count).map {
          "{\"url\": \"pipe:touch \(folder)/started-\($0); cat \(folder)/\($0).tar\", \"nsamples\": 10}"
        } + ["{\"url\": \"pipe:cat \(folder)/0.tar; : test\", \"nsamples\": 10}"],
        extra: #""image_size": 2, "channels": 1, "#)
      let set = try ShardedImages(path: folder, split: .train)
      func started() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: folder).count { $0.contains("started") }
      }
      let before = try started()
      let loader = try DataLoader(set, options(5, buffer: 20, workers: 2))
      for batch in 0..<40 {
        _ = try loader.next()
        Thread.sleep(forTimeInterval: 0.01)
        // Four batches are made ahead of the reader; the block of the next one and the one after
        // it are held, two shards each.
        let most = 2 * (5 * (batch + 5) / 20 + 2)
        #expect(try started() - before <= most, "\(batch)")
      }
    }
  }
}
