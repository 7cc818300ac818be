import Foundation

/// A tar file with samples: consecutive members whose names are the same up to the first dot.
struct Shard: Sendable, Equatable {
  /// What people and `HeldOut` call it: the last part of its path.
  let name: String
  let source: ShardSource
  /// The samples in it, by its index or by its headers.
  var count: Int
  /// Bytes, where they are known.
  var byteCount: Int?
  /// The samples that belong to the set.
  var samples: Range<Int>

  init(_ source: ShardSource, count: Int, byteCount: Int? = nil) {
    let place =
      switch source {
      case .file(let path): path
      case .command(let line): line
      }
    name = URL(filePath: place).lastPathComponent
    self.source = source
    self.count = count
    self.byteCount = byteCount
    samples = 0..<count
  }
}

extension [Shard] {
  /// The samples of all of them.
  var sampleCount: Int { reduce(0) { $0 + $1.samples.count } }

  /// One part of a set.
  ///
  /// Shards with a word test, val or validation in their name are the held-out part where there are
  /// any. Otherwise `HeldOut` chooses whole shards by name from ten on, and of fewer the last tenth
  /// of the last one is held out. A name that comes again counts with the number of times before.
  func part(_ split: Split) -> [Shard] {
    let isNamed = map { shard in
      shard.name.lowercased().split { !$0.isLetter }.contains {
        ["test", "val", "validation"].contains($0)
      }
    }
    if isNamed.contains(true) {
      return zip(self, isNamed).filter { $0.1 == (split == .test) }.map(\.0)
    }
    guard count >= 10 else { return tail(split) }
    var seen: [String: Int] = [:]
    var isHeld = map { shard in
      let before = seen[shard.name, default: 0]
      seen[shard.name] = before + 1
      return HeldOut.belongs(before == 0 ? shard.name : "\(shard.name) \(before)", to: .test)
    }
    if !isHeld.contains(true) { isHeld[count - 1] = true }
    return zip(self, isHeld).filter { $0.1 == (split == .test) }.map(\.0)
  }

  private func tail(_ split: Split) -> [Shard] {
    guard var last = last(where: { $0.count > 0 }),
      let place = lastIndex(of: last)
    else { return [] }
    let border = last.count - Swift.max(last.count / 10, 1)
    last.samples = split == .test ? border..<last.count : 0..<border
    if split == .test { return [last] }
    var parts = self
    parts[place] = last
    return parts.filter { !$0.samples.isEmpty }
  }
}
