/// Reads the samples of a shard in order. For one thread at a time.
final class ShardReader {
  /// What of a sample is read.
  enum Wanted {
    case everything
    /// The class alone.
    case label
    case nothing
  }

  /// The largest member that is taken for a field, in bytes.
  private static let maximumFieldSize = 1 << 28

  let shard: Shard
  /// The number of the sample that comes next.
  private(set) var next = 0
  private let input: ShardInput
  private var archive: TarReader
  /// The first member of the sample that comes next.
  private var pending: (member: TarReader.Member, key: String, suffix: String)?
  /// What every later call meets.
  private var failure: (any Error)?

  init(_ shard: Shard, isCancelled: @escaping @Sendable () -> Bool = { false }) throws(ShardError) {
    self.shard = shard
    input = try ShardInput(shard.source, isCancelled: isCancelled)
    archive = TarReader(input)
  }

  /// Whether the archive ended with the mark that says so.
  var hasEndMark: Bool { archive.hasEndMark }
  /// Bytes that were read or skipped.
  var byteCount: Int { input.position }

  /// The next sample; nil at the end. `onMember` hears the suffix of each of its members.
  func read(
    _ wanted: Wanted, onMember: (String) -> Void = { _ in }
  ) throws -> EncodedSample? {
    if let failure { throw failure }
    do {
      if pending == nil { try lookAhead() }
    } catch {
      failure = error
      throw error
    }
    guard let key = pending?.key else { return nil }
    var sample = EncodedSample(key: key)
    next += 1
    while let (member, memberKey, suffix) = pending, memberKey == key {
      pending = nil
      onMember(suffix)
      do {
        if let field = EncodedSample.Field(suffix: suffix) {
          try take(field, member, wanted, into: &sample)
        }
      } catch {
        failure = error
        throw error
      }
      // What is wrong after a sample is no fault of it.
      do { try lookAhead() } catch { failure = error }
    }
    return sample
  }

  /// Passes over samples until `number` comes next.
  func skip(to number: Int) throws {
    while next < number { guard try read(.nothing) != nil else { return } }
  }

  /// What is wrong with the shard after its last sample, as a clause: its command failed, or there
  /// are more samples than its index says.
  func ending() throws -> String? {
    if next == shard.count, failure == nil, pending != nil {
      return "it has more samples than the \(shard.count) that its index says"
    }
    return try input.ending()
  }

  private func lookAhead() throws {
    while let member = try archive.next() {
      guard let (key, suffix) = EncodedSample.parts(of: member.name) else { continue }
      pending = (member, key, suffix)
      return
    }
    pending = nil
  }

  private func take(
    _ field: EncodedSample.Field, _ member: TarReader.Member, _ wanted: Wanted,
    into sample: inout EncodedSample
  ) throws {
    switch wanted {
    case .nothing: return
    case .label where field != .label && field != .json: return
    case .label, .everything: break
    }
    guard member.size <= Self.maximumFieldSize else {
      sample.problem = "\(member.name) has \(member.size) bytes, more than is read"
      return
    }
    switch field {
    case .picture:
      guard sample.pictureName == nil else { return }
      sample.pictureName = member.name
      sample.picture = try archive.content()
    case .label: sample.label = String(decoding: try archive.content(), as: UTF8.self)
    case .caption: sample.caption = String(decoding: try archive.content(), as: UTF8.self)
    case .json: sample.json = try archive.content()
    }
  }
}
