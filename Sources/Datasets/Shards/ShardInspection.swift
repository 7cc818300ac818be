import Dispatch
import Foundation
import Images

/// What is in the shards of a set.
public struct ShardInspection: Sendable {
  /// The number of shards.
  public private(set) var shards = 0
  /// Samples to learn from and held out, by the index or, without one, as they were found.
  public private(set) var samples: [Split: Int] = [:]
  /// Samples that were found.
  public private(set) var found = 0
  /// Bytes of all shards.
  public private(set) var bytes = 0
  /// How often each suffix comes.
  public private(set) var fields: [String: Int] = [:]
  /// How often each class comes, by its name.
  public private(set) var classes: [(name: String, count: Int)] = []
  /// How often each size of pictures comes, such as `32×32×3`, where pictures are decoded.
  public private(set) var sizes: [String: Int] = [:]
  /// Pictures that cannot be decoded, and samples without one, where pictures are decoded.
  public private(set) var damaged = 0
  /// What is wrong, a sentence each: the first ones.
  public private(set) var problems: [String] = []

  /// Problems that are named.
  private static let mostProblems = 20

  /// Looks through the shards of a path by their headers, or decodes every picture too. Commands are
  /// run to their end. `progress` hears how many shards are done, of how many, and may throw.
  ///
  /// - Throws: `DatasetError` when there are none.
  public init(
    path: String, decoding: Bool, progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws {
    let set = try ShardSet(path: path)
    let names = set.classNames ?? []
    shards = set.shards.count
    for split in Split.allCases { samples[split] = set.shards.part(split).sampleCount }
    var counts = [Int](repeating: 0, count: names.count)
    let width = ProcessInfo.processInfo.activeProcessorCount
    for start in stride(from: 0, to: shards, by: width) {
      let part = Array(set.shards[start..<min(start + width, shards)])
      for (shard, look) in zip(part, Self.look(into: part, names, decoding: decoding)) {
        add(look.scan, of: shard, &counts)
        for (size, count) in look.pictures.sizes { sizes[size, default: 0] += count }
        damaged += look.pictures.damaged
        for problem in look.pictures.problems { note("\(shard.name): \(problem).") }
      }
      try progress(start + part.count, shards)
    }
    classes = Array(zip(names, counts)).map { (name: $0, count: $1) }
  }

  private mutating func add(_ scan: ShardScan, of shard: Shard, _ counts: inout [Int]) {
    found += scan.shard.count
    bytes += scan.shard.byteCount ?? scan.byteCount
    for (field, count) in scan.fields { fields[field, default: 0] += count }
    for (number, count) in scan.classCounts {
      if counts.indices.contains(number) {
        counts[number] += count
      } else {
        note("\(shard.name): \(count) samples have the class \(number), which has no name.")
      }
    }
    if let problem = scan.problem { note("\(shard.name): \(problem).") }
    if scan.shard.count != shard.count {
      note("\(shard.name): it has \(scan.shard.count) samples, not \(shard.count).")
    }
  }

  private mutating func note(_ sentence: String) {
    if problems.count < Self.mostProblems { problems.append(sentence) }
  }

  private typealias Look = (scan: ShardScan, pictures: Pictures)

  private static func look(into shards: [Shard], _ names: [String], decoding: Bool) -> [Look] {
    [Look](unsafeUninitializedCapacity: shards.count) { buffer, count in
      // Every iteration initialises the one place that is its own.
      nonisolated(unsafe) let places = buffer
      DispatchQueue.concurrentPerform(iterations: shards.count) { index in
        var pictures = Pictures()
        let scan =
          decoding
          ? ShardScan(shards[index].source, classNames: names) { pictures.decode($0) }
          : ShardScan(shards[index].source, classNames: names)
        places.initializeElement(at: index, to: (scan, pictures))
      }
      count = shards.count
    }
  }

  /// What the pictures of a shard are.
  private struct Pictures {
    var sizes: [String: Int] = [:]
    var damaged = 0
    var problems: [String] = []

    mutating func decode(_ sample: EncodedSample) {
      guard let name = sample.pictureName else {
        return fail(sample.problem ?? "\(sample.key) has no picture")
      }
      do {
        let image = try Image(decoding: sample.picture, name: name)
        sizes["\(image.width)×\(image.height)×\(image.channels)", default: 0] += 1
      } catch {
        fail("\(error)")
      }
    }

    private mutating func fail(_ problem: String) {
      damaged += 1
      if problems.count < ShardInspection.mostProblems { problems.append(problem) }
    }
  }
}
