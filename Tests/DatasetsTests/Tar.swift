import Foundation
import Images
import Interchange

@testable import Datasets

/// Tar archives by hand, so that tests can make wrong ones.
enum Tar {
  static let end = [UInt8](repeating: 0, count: 1024)

  /// A header of ustar; `size` is written as it is.
  static func header(_ name: String, size: [UInt8], type: String = "0") -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: [UInt8], at start: Int) {
      block.replaceSubrange(start..<start + bytes.count, with: bytes)
    }
    put(Array(name.utf8.prefix(100)), at: 0)
    put(Array("0000644\0".utf8), at: 100)
    put(size, at: 124)
    put(Array(type.utf8), at: 156)
    put(Array("ustar\u{0}00".utf8), at: 257)
    put([UInt8](repeating: 32, count: 8), at: 148)
    let sum = block.reduce(0) { $0 + Int($1) }
    put(Array((octal(sum, 6) + "\0 ").utf8), at: 148)
    return block
  }

  static func octal(_ number: Int, _ digits: Int) -> String {
    let text = String(number, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  static func padded(_ content: [UInt8]) -> [UInt8] {
    content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  static func member(_ name: String, _ content: [UInt8], type: String = "0") -> [UInt8] {
    header(name, size: Array(octal(content.count, 11).utf8) + [0], type: type) + padded(content)
  }

  static func member(_ name: String, _ text: String, type: String = "0") -> [UInt8] {
    member(name, Array(text.utf8), type: type)
  }

  /// The files of an archive in memory, or what is wrong.
  static func read(_ archive: [UInt8]) throws -> [(name: String, content: [UInt8])] {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "latent-tar-\(UUID().uuidString)").path
    try put(archive, path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try read(path: path)
  }

  static func read(path: String) throws -> [(name: String, content: [UInt8])] {
    var reader = TarReader(try ShardInput(.file(path: path)))
    var files: [(name: String, content: [UInt8])] = []
    while let member = try reader.next() { files.append((member.name, try reader.content())) }
    return files
  }
}

/// Shards whose pictures tell their number: 2×2 grey pixels, of which the first two are the number
/// in base 256.
enum NumberedShards {
  static func picture(_ number: Int) throws -> [UInt8] {
    try Image(
      width: 2, height: 2, channels: 1, pixels: [UInt8(number >> 8), UInt8(number & 255), 1, 2]
    ).pngBytes()
  }

  static func sample(_ number: Int, labelled: Bool) throws -> [UInt8] {
    let key = "s\(number)"
    return
      (labelled
      ? Tar.member("\(key).cls", "\(number % 5)\n") + Tar.member("\(key).txt", "number \(number)")
      : []) + Tar.member("\(key).png", try picture(number))
  }

  /// Writes `part-000.tar` and so on with as many samples as `counts` says, `test-000.tar` with one,
  /// and an index; `change` may replace a sample's bytes.
  static func write(
    _ folder: String, _ counts: [Int], labelled: Bool = true, extra: String = "",
    change: (Int, [UInt8]) throws -> [UInt8] = { $1 }
  ) throws {
    var (number, list): (Int, [String]) = (0, [])
    for (place, count) in counts.enumerated() {
      let name = "part-" + String(1000 + place).dropFirst() + ".tar"
      var bytes: [UInt8] = []
      for _ in 0..<count {
        bytes += try change(number, sample(number, labelled: labelled))
        number += 1
      }
      try put(bytes + Tar.end, "\(folder)/\(name)")
      list.append("{\"url\": \"\(name)\", \"nsamples\": \(count)}")
    }
    try put(try sample(0, labelled: labelled) + Tar.end, "\(folder)/test-000.tar")
    list.append("{\"url\": \"test-000.tar\", \"nsamples\": 1}")
    try index(folder, list, extra: extra)
  }

  static func index(_ folder: String, _ list: [String], extra: String = "") throws {
    try put(
      "{\"__kind__\": \"wids-shard-index-v1\", \"wids_version\": 1, \(extra)\"shardlist\": ["
        + list.joined(separator: ", ") + "]}", "\(folder)/shards.json")
  }
}

extension Batch {
  /// The numbers that the pictures tell.
  var numbers: [Int] {
    guard case .bytes(let values) = values else { return [] }
    return (0..<count).map { Int(values[4 * $0]) << 8 | Int(values[4 * $0 + 1]) }
  }
}

/// The batches of some epochs.
func batches(
  of set: any Dataset, _ options: DataLoader.Options, epochs: Int = 1
) throws -> [Batch] {
  let loader = try DataLoader(set, options)
  var batches: [Batch] = []
  while loader.position.epoch < options.start.epoch + epochs { batches.append(try loader.next()) }
  return batches
}

/// An archive by the writer of packing.
enum AtomicFileTar {
  static func write(_ files: [(String, [UInt8])], to path: String) throws {
    try AtomicFile.write(to: path) { handle in
      let writer = TarWriter(handle)
      for (name, content) in files { try writer.add(name, content) }
      try writer.finish()
    }
  }
}
