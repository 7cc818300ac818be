import Foundation

/// What the headers of a shard tell, and its classes.
struct ShardScan {
  /// The shard with the samples that were counted.
  private(set) var shard: Shard
  /// The largest class; nil without classes.
  private(set) var highestClass: Int?
  /// How often each class comes.
  private(set) var classCounts: [Int: Int] = [:]
  /// How often each suffix comes.
  private(set) var fields: [String: Int] = [:]
  /// Bytes of the archive.
  private(set) var byteCount = 0
  /// Why it could not be read to its end, as a clause.
  private(set) var problem: String?

  /// Looks through a shard and passes over its pictures; with `onSample` every sample is read in
  /// whole and handed over.
  init(
    _ source: ShardSource, classNames: [String] = [], onSample: ((EncodedSample) -> Void)? = nil
  ) {
    shard = Shard(source, count: 0)
    var count = 0
    do {
      let reader = try ShardReader(shard)
      while true {
        var suffixes: [String] = []
        guard
          let sample = try reader.read(
            onSample == nil ? .label : .everything, onMember: { suffixes.append($0) })
        else { break }
        count += 1
        for suffix in suffixes { fields[suffix, default: 0] += 1 }
        if let number = sample.classNumber(among: classNames), number >= 0 {
          highestClass = max(highestClass ?? 0, number)
          classCounts[number, default: 0] += 1
        }
        onSample?(sample)
      }
      byteCount = reader.byteCount
      problem = reader.hasEndMark ? try reader.ending() : "it ends without an end mark"
    } catch let error as ShardError {
      problem = error.problem
    } catch {
      problem = "\(error)"
    }
    shard.count = count
    shard.samples = 0..<count
    if case .file(let path) = source {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      shard.byteCount = attributes?[.size] as? Int
    }
  }
}
