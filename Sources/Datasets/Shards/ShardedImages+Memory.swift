extension Dataset {
  /// The set itself, or of a set in shards a sample of at most `limit` pictures that can be asked
  /// for by number: the first ones of shards that are spread evenly over it.
  ///
  /// - Throws: `DatasetError` when not one of them can be read.
  public func inMemory(_ limit: Int = 10_000) throws -> any Dataset {
    try (self as? ShardedImages)?.sample(limit) ?? self
  }
}

extension ShardedImages {
  /// The bytes of pictures that such a sample takes at most.
  private static let memoryLimit = 1 << 30

  /// At most `limit` pictures in memory, under the fingerprint of the whole.
  func sample(_ limit: Int) throws(DatasetError) -> StoredImages {
    let most = max(1, min(limit, count, Self.memoryLimit / elementByteCount))
    let used = min(shards.count, most)
    let quota = most == count ? .max : (most + used - 1) / used
    var picked = Picked()
    for turn in 0..<used where picked.count < most {
      let shard = shards[turn * shards.count / used]
      do {
        try pick(min(quota, most - picked.count), of: shard, into: &picked)
      } catch let error as ShardError {
        picked.damaged.append("\(shard.name): \(error.problem)")
      } catch {
        picked.damaged.append("\(shard.name): \(error)")
      }
    }
    guard picked.count > 0 else {
      let names = countedNames(picked.damaged, "sample", "samples")
      throw DatasetError(path: name, sentence: "not one of its \(names) can be read.")
    }
    return StoredImages(
      name: name, samples: picked.samples, elementShape: elementShape,
      labels: classNames == nil ? nil : picked.labels,
      captions: picked.captions.allSatisfy(\.isEmpty) ? nil : picked.captions,
      classNames: classNames, notes: notes + picked.notes, fingerprint: fingerprint)
  }

  private struct Picked {
    var count = 0
    var samples: [UInt8] = []
    var labels: [Int] = []
    var captions: [String] = []
    var damaged: [String] = []

    var notes: [String] {
      damaged.isEmpty
        ? []
        : ["\(countedNames(damaged, "sample", "samples")) cannot be read and left out."]
    }
  }

  /// The first readable samples of a shard.
  private func pick(_ quota: Int, of shard: Shard, into picked: inout Picked) throws {
    let reader = try ShardReader(shard)
    try reader.skip(to: shard.samples.lowerBound)
    var left = quota
    while left > 0, reader.next < shard.samples.upperBound,
      let sample = try reader.read(.everything)
    {
      do {
        var bytes = [UInt8](repeating: 0, count: elementByteCount)
        let (label, caption) = try bytes.withUnsafeMutableBytes {
          try decode(sample, into: $0)
        }
        picked.samples += bytes
        picked.labels.append(label ?? 0)
        picked.captions.append(caption ?? "")
        picked.count += 1
        left -= 1
      } catch let error as ShardError {
        picked.damaged.append("\(shard.name): \(error.problem)")
      }
    }
  }
}
