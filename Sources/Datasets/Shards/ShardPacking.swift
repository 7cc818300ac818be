import Dispatch
import Foundation
import Images
import Interchange

/// Writing a set of pictures as tar shards with an index: `train-000000.tar`, `test-000000.tar`,
/// `shards.json`.
public struct ShardPacking: Sendable {
  /// Samples in a shard at most.
  public var samplesPerShard = 10_000
  /// Bytes from which on a shard is full.
  public var bytesPerShard = Int.max
  /// Names the order, in which samples are shuffled once.
  public var seed: UInt64 = 0
  /// How pictures are stored.
  public var format = ImageFormat.png

  /// What was written.
  public struct Outcome: Sendable {
    /// The number of shards.
    public internal(set) var shards = 0
    /// Samples to learn from and held out.
    public internal(set) var samples: [Split: Int] = [:]
    /// Bytes of all shards.
    public internal(set) var bytes = 0
    /// What went wrong with the source, a sentence each.
    public internal(set) var notes: [String] = []
  }

  /// Shards of 10,000 PNG pictures.
  public init() {}

  /// Opens both parts of a source, each in whole.
  ///
  /// - Throws: `DatasetError`, also for a source of points.
  public static func parts(
    of source: String, imageSize: Int?, channels: Int?
  ) throws(DatasetError) -> [Split: any Dataset] {
    var parts: [Split: any Dataset] = [:]
    for split in Split.allCases {
      parts[split] =
        parts[.train] is ShardedImages
        ? try ShardedImages(path: source, split: split, imageSize: imageSize, channels: channels)
        : try DatasetCatalog.open(source, split: split, imageSize: imageSize, channels: channels)
    }
    guard parts.values.allSatisfy({ $0.elementKind == .bytes }) else {
      throw DatasetError(
        path: source, sentence: "the set holds points; shards are made of pictures.")
    }
    return parts
  }

  /// Writes the parts of a set to `folder`, which appears when it is whole. `progress` hears how many
  /// samples are done, and may throw to end the work.
  ///
  /// - Throws: `DatasetError` when the folder holds something (with `replacing`: something else than
  ///   shards) or a picture cannot be read, `FileError` when the disk refuses.
  public func write(
    _ parts: [Split: any Dataset], to folder: String, replacing: Bool,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> Outcome {
    let place = URL(filePath: folder).standardizedFileURL
    try Self.check(folder, replacing: replacing)
    let aside = place.deletingLastPathComponent()
      .appending(path: ".\(place.lastPathComponent)-\(UInt32.random(in: 0 ... .max)).partial").path
    let files = FileManager.default
    defer { try? files.removeItem(atPath: aside) }
    do {
      try files.createDirectory(atPath: aside, withIntermediateDirectories: true)
    } catch {
      throw DatasetError(
        path: folder, sentence: "the folder cannot be made: \(error.localizedDescription)")
    }
    var (result, shards): (Outcome, [Shard]) = (Outcome(), [])
    for split in Split.allCases {
      guard let set = parts[split] else { continue }
      let feed = try PictureFeed(set, self)
      let before = result.samples.values.reduce(0, +)
      shards += try write(feed, split, to: aside) { try progress(before + $0) }
      result.samples[split] = set.count
      result.notes += feed.loader.takeNotes()
    }
    result.shards = shards.count
    result.bytes = shards.reduce(0) { $0 + ($1.byteCount ?? 0) }
    if let set = parts[.train] ?? parts[.test] {
      try Self.index(shards, of: set, named: place.lastPathComponent).json
        .write(to: "\(aside)/\(ShardIndex.fileName)")
    }
    do {
      if files.fileExists(atPath: place.path) { try files.removeItem(atPath: place.path) }
      try files.moveItem(atPath: aside, toPath: place.path)
    } catch {
      throw DatasetError(
        path: folder, sentence: "the shards cannot be put there: \(error.localizedDescription)")
    }
    AtomicFile.syncFolder(place.deletingLastPathComponent().path)
    return result
  }

  /// Refuses a place where something else stands.
  static func check(_ folder: String, replacing: Bool) throws(DatasetError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else { return }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    guard isFolder.boolValue else {
      throw DatasetError(path: folder, sentence: "this is a file; name a folder for the shards.")
    }
    let strangers = names.filter { !$0.hasSuffix(".tar") && $0 != ShardIndex.fileName }
    guard strangers.isEmpty else {
      throw DatasetError(
        path: folder, sentence: "this folder holds other things than shards; choose another one.")
    }
    guard names.isEmpty || replacing else {
      throw DatasetError(
        path: folder, sentence: "shards are there already; add --force to replace them.")
    }
  }

  private static func index(
    _ shards: [Shard], of set: any Dataset, named name: String
  ) -> ShardIndex {
    let shape = set.elementShape
    return ShardIndex(
      name: name, shards: shards, classNames: set.classNames,
      imageSize: shape[1] == shape[2] ? shape[1] : nil, channels: shape[0])
  }

  private func write(
    _ feed: PictureFeed, _ split: Split, to folder: String, progress: (Int) throws -> Void
  ) throws -> [Shard] {
    var (shards, written): ([Shard], Int) = ([], 0)
    while !feed.isAtEnd {
      let path = "\(folder)/\(split.rawValue)-\(padded(shards.count, 6)).tar"
      var shard = Shard(.file(path: path), count: 0)
      shard.byteCount = try AtomicFile.write(to: path) { handle in
        let writer = TarWriter(handle)
        while shard.count < samplesPerShard, handle.byteCount < bytesPerShard,
          let picture = try feed.next()
        {
          let key = padded(written, 8)
          try writer.add("\(key).\(suffix)", picture.bytes)
          if let label = picture.label { try writer.add("\(key).cls", Array("\(label)".utf8)) }
          if let caption = picture.caption, !caption.isEmpty {
            try writer.add("\(key).txt", Array(caption.utf8))
          }
          shard.count += 1
          written += 1
          try progress(written)
        }
        try writer.finish()
        return handle.byteCount
      }
      shards.append(shard)
    }
    return shards
  }

  private var suffix: String { format == .jpeg ? "jpg" : format.rawValue }

  private func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

/// The pictures of a set in a shuffled order, encoded on all cores.
private final class PictureFeed {
  typealias Picture = (bytes: [UInt8], label: Int?, caption: String?)

  let loader: DataLoader
  private let format: ImageFormat
  private var batch: [Picture] = []
  private var place = 0

  init(_ set: any Dataset, _ packing: ShardPacking) throws(DatasetError) {
    format = packing.format
    loader = try DataLoader(
      set, DataLoader.Options(batchSize: min(256, set.count), seed: packing.seed, dropsLast: false))
  }

  var isAtEnd: Bool { place == batch.count && loader.position.epoch > 0 }

  func next() throws -> Picture? {
    guard !isAtEnd else { return nil }
    if place == batch.count {
      batch = try encoded(loader.next())
      place = 0
    }
    place += 1
    return batch[place - 1]
  }

  private func encoded(_ batch: Batch) throws -> [Picture] {
    guard case .bytes(let values) = batch.values else { return [] }
    let shape = batch.elementShape
    let size = shape.reduce(1, *)
    let results = [Result<[UInt8], ImageError>](unsafeUninitializedCapacity: batch.count) {
      buffer, count in
      // Every iteration initialises the one place that is its own.
      nonisolated(unsafe) let places = buffer
      DispatchQueue.concurrentPerform(iterations: batch.count) { [format] place in
        let image = Image(
          planar: Array(values[place * size..<(place + 1) * size]), width: shape[2],
          height: shape[1], channels: shape[0])
        places.initializeElement(
          at: place,
          to: Result { () throws(ImageError) in
            switch format {
            case .png: try image.pngBytes()
            case .jpeg: try image.jpegBytes()
            case .webp: try image.webpBytes()
            }
          })
      }
      count = batch.count
    }
    return try results.enumerated().map { place, bytes in
      (try bytes.get(), batch.labels?[place], batch.captions?[place])
    }
  }
}
