import Foundation
import Testing
import Torch

@testable import Datasets

@Suite struct DataLoaderTests {
  private func batches(_ options: DataLoader.Options, _ count: Int, of set: any Dataset = Counter())
    throws -> [Batch]
  {
    let loader = try DataLoader(set, options)
    return try (0..<count).map { _ in try loader.next() }
  }

  @Test func orderDependsOnSeedAndEpochAlone() throws {
    let one = try batches(.init(batchSize: 10, seed: 3, flips: true), 25)
    let many = try batches(.init(batchSize: 10, seed: 3, flips: true, workers: 5), 25)
    #expect(one == many)
    let resumed = try batches(
      .init(batchSize: 10, seed: 3, flips: true, workers: 2, start: .init(epoch: 1, batch: 7)), 8)
    #expect(resumed == Array(one[17...]))
    let other = try batches(.init(batchSize: 10, seed: 4), 10)
    #expect(other.map(\.indices) != one[..<10].map(\.indices))
    let (first, second) = (one[..<10].flatMap(\.indices), one[10..<20].flatMap(\.indices))
    #expect(first != second)
    #expect(Set(first).count == 100)
    #expect(first != first.sorted())
    #expect(one[12].position == .init(epoch: 1, batch: 2))
  }

  /// The order is part of what a run's seed means, so it must never change.
  @Test func orderIsTheDocumentedOne() throws {
    var generator = SplitMix64(7, 2)
    var order = Array(0..<103)
    for last in (1..<103).reversed() {
      order.swapAt(last, Int(generator.next().multipliedFullWidth(by: UInt64(last + 1)).high))
    }
    let batch = try batches(
      .init(batchSize: 103, seed: 7, start: .init(epoch: 2, batch: 0)), 1)[0]
    #expect(batch.indices == order)
    #expect(Array(order.prefix(8)) == [67, 83, 100, 5, 74, 28, 49, 45])
  }

  @Test func keepsTheRestInOrder() throws {
    let options = DataLoader.Options(batchSize: 25, seed: 0, shuffles: false, dropsLast: false)
    let loader = try DataLoader(Counter(labelled: true), options)
    #expect(loader.batchesPerEpoch == 5)
    var indices: [Int] = []
    try loader.forEachInEpoch { batch in
      indices += batch.indices
      #expect(batch.labels == batch.indices)
      #expect(batch.captions == batch.indices.map { $0.isMultiple(of: 2) ? "\($0)" : "" })
    }
    #expect(indices == Array(0..<103))
    #expect(loader.position == .init(epoch: 1, batch: 0))
  }

  /// 103 elements in batches of 20, so that the last one has 3 for up to 5 ranks.
  @Test(arguments: [1, 2, 3, 5]) func ranksShareEveryBatch(_ ranks: Int) throws {
    func options(_ rank: Int, _ ranks: Int) -> DataLoader.Options {
      .init(
        batchSize: 20, seed: 3, dropsLast: false, flips: true, workers: 2, rank: rank, ranks: ranks)
    }
    let whole = try batches(options(0, 1), 12)
    let shared = try (0..<ranks).map { try batches(options($0, ranks), 12) }
    for (number, batch) in whole.enumerated() {
      let shares = shared.map { $0[number] }
      #expect(shares.filter { $0.share.weight > 0 }.flatMap(\.indices) == batch.indices)
      // The mean over the ranks of weighted means is the mean over the batch.
      let means = shares.map { share in
        share.share.weight * Double(share.indices.reduce(0, +)) / Double(share.count)
      }
      let mean = Double(batch.indices.reduce(0, +)) / Double(batch.count)
      #expect(abs(means.reduce(0, +) / Double(ranks) - mean) < 1e-9)
      for share in shares {
        #expect(share.count > 0 && share.position == batch.position)
        #expect(share.share.wholeCount == batch.count)
      }
    }
  }

  @Test func flipsHalfOfThePictures() throws {
    let plain = try batches(.init(batchSize: 100, seed: 1), 1)[0]
    let flipped = try batches(.init(batchSize: 100, seed: 1, flips: true), 1)[0]
    guard case .bytes(let a) = plain.values, case .bytes(let b) = flipped.values else { return }
    var count = 0
    for start in stride(from: 0, to: 600, by: 6) {
      let (before, after) = (Array(a[start..<start + 6]), Array(b[start..<start + 6]))
      if before == after { continue }
      count += 1
      #expect(after == [2, 1, 0, 5, 4, 3].map { before[$0] })
    }
    #expect((35...65).contains(count))
  }

  @Test func errorsSurfaceAndStay() throws {
    let loader = try DataLoader(
      Counter(brokenIndex: 31),
      .init(batchSize: 10, seed: 0, shuffles: false, workers: 3))
    for number in 0..<3 { #expect(try loader.next().indices.first == number * 10) }
    for _ in 0..<3 { #expect(throws: Counter.Broken.self) { try loader.next() } }
    #expect(loader.position == .init(epoch: 0, batch: 3))
  }

  @Test func refusesOptionsThatDoNotFit() {
    for options in [
      DataLoader.Options(batchSize: 0, seed: 0), .init(batchSize: 104, seed: 0),
      .init(batchSize: 10, seed: 0, workers: 0),
      .init(batchSize: 10, seed: 0, start: .init(epoch: 0, batch: 10)),
      .init(batchSize: 10, seed: 0, start: .init(epoch: -1, batch: 0)),
    ] { #expect(throws: DatasetError.self) { try DataLoader(Counter(), options) } }
    #expect(throws: DatasetError.self) {
      try DataLoader(Counter(count: 0), .init(batchSize: 1, seed: 0, dropsLast: false))
    }
    #expect(throws: DatasetError.self) {
      try DataLoader(PointMixture.ring8(split: .train), .init(batchSize: 1, seed: 0, flips: true))
    }
  }

  /// A set that notices when its last reader lets go of it: the threads hold the set.
  @Test func threadsEndWithTheLoader() throws {
    final class Owner: Sendable {}
    struct Owned: Dataset {
      let base = Counter()
      let owner: Owner
      var name: String { "owned" }
      var count: Int { 103 }
      var elementShape: [Int] { base.elementShape }
      var elementKind: ElementKind { .bytes }
      var classNames: [String]? { nil }
      var fingerprint: String { "" }
      func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws {
        try base.copyElement(at: index, into: destination)
      }
      func label(at index: Int) -> Int? { nil }
    }
    for _ in 0..<20 {
      weak var owner: Owner?
      do {
        let strong = Owner()
        owner = strong
        let loader = try DataLoader(Owned(owner: strong), .init(batchSize: 9, seed: 0, workers: 4))
        _ = try loader.next()
      }
      // The thread's closure may outlive its last statement by a moment.
      for _ in 0..<200 where owner != nil { Thread.sleep(forTimeInterval: 0.005) }
      #expect(owner == nil)
    }
  }

  @Test func makesTensors() throws {
    let batch = try batches(
      .init(batchSize: 2, seed: 0, shuffles: false), 1, of: Counter(labelled: true))[0]
    let tensor = batch.tensor()
    #expect(tensor.shape == [2, 1, 2, 3])
    let expected = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12].map { Float($0) / 255 }
    #expect(tensor.elements(as: Float.self) == expected)
    #expect(batch.labelTensor()?.elements(as: Int.self) == [0, 1])
    let points = try batches(
      .init(batchSize: 3, seed: 0), 1, of: PointMixture.ring8(split: .train))[0]
    #expect(points.tensor().shape == [3, 2])
    guard case .floats(let values) = points.values else { return }
    #expect(points.tensor().elements(as: Float.self) == values)
  }

  /// A thread that never comes back is told of, and does not hold up the end of the loader.
  @Test func aStuckReaderIsNamed() throws {
    struct Stuck: Dataset {
      let name = "stuck"
      let count = 20
      let elementShape = [1, 2, 3]
      let elementKind = ElementKind.bytes
      let classNames: [String]? = nil
      let fingerprint = ""
      func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws {
        Thread.sleep(forTimeInterval: 30)
      }
      func label(at index: Int) -> Int? { nil }
    }
    var options = DataLoader.Options(batchSize: 4, seed: 0)
    options.patience = 1
    let loader = try DataLoader(Stuck(), options)
    let error = #expect(throws: DatasetError.self) { try loader.next() }
    #expect(error?.sentence.contains("no batch came for 1 seconds") == true)
    // Nor does one that nobody waited for.
    let start = ContinuousClock.now
    _ = try DataLoader(Stuck(), options)
    #expect(.now - start < .seconds(20))
  }
}
