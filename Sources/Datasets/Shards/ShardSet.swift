import Dispatch
import Foundation

/// The shards that a path stands for, before they are parted into training and test.
struct ShardSet {
  /// What people call the set.
  var name: String
  var shards: [Shard]
  var classNames: [String]?
  var imageSize: Int?
  var channels: Int?
  /// What a person should know, a sentence each.
  var notes: [String] = []

  /// The most classes that numbers without names may stand for.
  static let maximumClassCount = 100_000

  /// Whether a path is a shard, a pattern of shards, an index, or a folder of shards.
  static func recognizes(_ path: String) -> Bool {
    if path.hasSuffix(".tar") || path.hasSuffix(".json") { return true }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return false
    }
    return names.contains(ShardIndex.fileName)
      || names.contains { $0.hasSuffix(".tar") && !$0.hasPrefix(".") }
        && !names.contains {
          EncodedSample.Field(suffix: URL(filePath: $0).pathExtension.lowercased()) == .picture
        }
  }

  /// Finds the shards of a path and the number of samples in each: by the index where there is one,
  /// otherwise by the headers of all files.
  init(path: String) throws(DatasetError) {
    name = URL(filePath: path).standardizedFileURL.lastPathComponent
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let index =
      path.hasSuffix(".json") ? path : isFolder.boolValue ? "\(path)/\(ShardIndex.fileName)" : nil
    if let index, FileManager.default.fileExists(atPath: index) || !isFolder.boolValue {
      let index = try ShardIndex(path: index)
      shards = index.shards
      (classNames, imageSize, channels) = (index.classNames, index.imageSize, index.channels)
      try checkFiles(of: path)
      // The numbers of the first shard stand for classes that the index does not name.
      if classNames == nil, let first = shards.first(where: { $0.count > 0 }) {
        try nameClasses(ShardScan(first.source).highestClass)
      }
    } else {
      shards = []
      try scan(Self.files(path, exists: exists, isFolder: isFolder.boolValue))
    }
    guard shards.sampleCount > 0 else {
      throw DatasetError(path: path, sentence: "there is no sample in its shards.")
    }
  }

  private static func files(
    _ path: String, exists: Bool, isFolder: Bool
  ) throws(DatasetError) -> [String] {
    if isFolder {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.filter { $0.hasSuffix(".tar") && !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { "\(path)/\($0)" }
    }
    let paths = exists ? [path] : try ShardPattern.expand(path)
    let missing = paths.filter { !FileManager.default.fileExists(atPath: $0) }
    guard missing.isEmpty else {
      throw DatasetError(
        path: path,
        sentence: paths.count == 1
          ? "there is no such file, so check the path."
          : "\(countedNames(missing, "shard", "shards")) of the \(paths.count) are not there.")
    }
    return paths
  }

  /// Notes the files that are not what the index says.
  private mutating func checkFiles(of path: String) throws(DatasetError) {
    var (missing, changed, found): ([String], [String], Int) = ([], [], 0)
    for (place, shard) in shards.enumerated() {
      guard case .file(let file) = shard.source else { continue }
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      guard let size = attributes?[.size] as? Int else {
        missing.append(shard.name)
        continue
      }
      found += 1
      if let expected = shard.byteCount, size != expected { changed.append(shard.name) }
      // The index stands for the data, also where a file was cut short since.
      if shard.byteCount == nil { shards[place].byteCount = size }
    }
    if found == 0, missing.count == shards.count {
      throw DatasetError(
        path: path, sentence: "none of its \(countedNames(missing, "shard", "shards")) is there.")
    }
    if !missing.isEmpty {
      notes.append("\(countedNames(missing, "shard", "shards")) of the index cannot be found.")
    }
    if !changed.isEmpty {
      notes.append(
        "\(countedNames(changed, "shard has", "shards have")) another length than the index says.")
    }
  }

  /// Counts the samples of files by their headers, on all cores.
  private mutating func scan(_ paths: [String]) throws(DatasetError) {
    let scans = [ShardScan](unsafeUninitializedCapacity: paths.count) { buffer, count in
      // Every iteration initialises the one place that is its own.
      nonisolated(unsafe) let places = buffer
      DispatchQueue.concurrentPerform(iterations: paths.count) { index in
        places.initializeElement(at: index, to: ShardScan(.file(path: paths[index])))
      }
      count = paths.count
    }
    shards = scans.map(\.shard)
    let damaged = scans.filter { $0.problem != nil }
    if shards.sampleCount == 0, let problem = damaged.first?.problem {
      throw DatasetError(path: damaged[0].shard.name, sentence: "\(problem).")
    }
    for scan in damaged.prefix(5) {
      notes.append(
        "\(scan.shard.name): \(scan.problem ?? ""); the \(scan.shard.count) samples before are used."
      )
    }
    if damaged.count > 5 {
      let names = countedNames(damaged.map(\.shard.name), "shard", "shards")
      notes.append("\(names) cannot be read to the end.")
    }
    try nameClasses(scans.compactMap(\.highestClass).max())
  }

  private mutating func nameClasses(_ highest: Int?) throws(DatasetError) {
    guard let highest else { return }
    guard highest < Self.maximumClassCount else {
      throw DatasetError(
        path: name,
        sentence: "it has a class \(highest), and classes are numbered from 0 without large gaps.")
    }
    classNames = (0...highest).map(String.init)
  }
}
