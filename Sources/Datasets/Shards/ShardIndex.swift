import Foundation
import Interchange

/// The index of a set in shards, in the format of WebDataset's `wids`, with keys of our own beside:
/// classes, image_size, channels.
struct ShardIndex {
  static let kind = "wids-shard-index-v1"
  /// The name of the index in a folder of shards.
  static let fileName = "shards.json"

  var name: String?
  var shards: [Shard]
  var classNames: [String]?
  var imageSize: Int?
  var channels: Int?

  init(
    name: String?, shards: [Shard], classNames: [String]?, imageSize: Int?, channels: Int?
  ) {
    self.name = name
    self.shards = shards
    self.classNames = classNames
    self.imageSize = imageSize
    self.channels = channels
  }

  /// Reads an index; paths in it are taken from its own folder.
  init(path: String) throws(DatasetError) {
    func failure(_ sentence: String) -> DatasetError {
      DatasetError(path: path, sentence: sentence)
    }
    let json: JSON
    do {
      json = try JSON(contentsOfFile: path)
    } catch {
      throw failure(error.sentence)
    }
    guard json["__kind__"]?.string == Self.kind else {
      throw failure(
        "it is no index of shards; its key \"__kind__\" has to be \"\(Self.kind)\".")
    }
    guard let list = json["shardlist"]?.array, !list.isEmpty else {
      throw failure("its key \"shardlist\" has to be a list of shards, and not an empty one.")
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var (shards, total): ([Shard], Int) = ([], 0)
    for (place, entry) in list.enumerated() {
      guard let url = entry["url"]?.string, !url.isEmpty else {
        throw failure("entry \(place + 1) of its shardlist has no text \"url\".")
      }
      guard let count = entry["nsamples"]?.int, (0...1 << 40).contains(count) else {
        throw failure(
          "entry \(place + 1) of its shardlist (\(url)) has no whole number \"nsamples\".")
      }
      total += count
      guard total <= 1 << 48 else { throw failure("its shards claim more samples than can be.") }
      shards.append(
        Shard(
          try Self.source(url, folder: folder, index: path), count: count,
          byteCount: entry["filesize"]?.int))
    }
    self.init(
      name: json["name"]?.string, shards: shards,
      classNames: try Self.optional(json, "classes", path, "a list of names") { value in
        let names = value.array?.compactMap(\.string)
        return names?.isEmpty == false && names?.count == value.array?.count ? names : nil
      },
      imageSize: try Self.optional(json, "image_size", path, "a number of pixels, 1 to 4096") {
        $0.int.flatMap { (1...4096).contains($0) ? $0 : nil }
      },
      channels: try Self.optional(json, "channels", path, "1 or 3") {
        $0.int.flatMap { [1, 3].contains($0) ? $0 : nil }
      })
  }

  private static func source(
    _ url: String, folder: String, index: String
  ) throws(DatasetError) -> ShardSource {
    if url.hasPrefix("pipe:") { return .command(String(url.dropFirst(5))) }
    let path = url.hasPrefix("file:") ? String(url.dropFirst(5)) : url
    guard !path.contains("://") else {
      throw DatasetError(
        path: index,
        sentence:
          "the shard \(url) is not on this machine; name a command that fetches it, such as \"pipe:curl -s \(url)\"."
      )
    }
    return .file(path: path.hasPrefix("/") ? path : folder + path)
  }

  private static func optional<Value>(
    _ json: JSON, _ key: String, _ path: String, _ what: String, _ read: (JSON) -> Value?
  ) throws(DatasetError) -> Value? {
    guard let found = json[key], !found.isNull else { return nil }
    guard let value = read(found) else {
      throw DatasetError(path: path, sentence: "its key \"\(key)\" has to be \(what).")
    }
    return value
  }

  /// The index of shards that stand in its own folder.
  var json: JSON {
    var json: JSON = [
      "__kind__": .string(Self.kind), "wids_version": 1, "name": .string(name ?? ""),
      "shardlist": .array(
        shards.map { shard in
          var entry: JSON = ["url": .string(shard.name), "nsamples": .int(shard.count)]
          entry["filesize"] = shard.byteCount.map { .int($0) }
          return entry
        }),
    ]
    json["classes"] = classNames.map { .array($0.map { .string($0) }) }
    json["image_size"] = imageSize.map { .int($0) }
    json["channels"] = channels.map { .int($0) }
    return json
  }
}
