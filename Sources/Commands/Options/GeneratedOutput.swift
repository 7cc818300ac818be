import ArgumentParser
import Foundation
import Images

/// Where generated pictures go.
struct GeneratedOutput: ParsableArguments {
  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      """
      The PNG, JPEG or WebP file to write, several pictures as one grid; or a name with %d, or a \
      folder, for a file each (default: a new name made from the prompt and the seed).
      """, valueName: "file"))
  var output: String?

  @Flag(help: "Replace outputs that are there.")
  var force = false

  /// What `--output` means.
  var place: Place {
    guard let output else { return .file }
    if output.hasSuffix("/") || isFolder(output) { return .folder(output) }
    return Numbered(output).map(Place.numbered) ?? .named(output)
  }

  /// A kind of place.
  enum Place {
    /// One file of this name.
    case named(String)
    /// One file here, whose name the prompt makes.
    case file
    /// A file a picture, numbered from 1 on.
    case numbered(Numbered)
    /// A file a picture, whose name the prompt makes.
    case folder(String)

    /// Whether several pictures become one.
    var isGrid: Bool {
      switch self {
      case .named, .file: true
      case .numbered, .folder: false
      }
    }
  }

  /// Refuses what cannot be written, before any work is done.
  ///
  /// `numbersGoOn`: numbers that are taken are passed over.
  func check(count: Int, numbersGoOn: Bool) throws {
    switch place {
    case .named(let path): try checkPicture(path, force: force)
    case .file: break
    case .numbered(let name):
      for number in 1...count { try checkPicture(name[number], force: force || numbersGoOn) }
    case .folder(let path):
      let parent = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
      guard isFolder(path) || isFolder(parent) else {
        throw CommandError("\(path): the folder \(parent) is not there; make it first")
      }
    }
  }

  /// The files for pictures of a prompt, one a seed; a grid has the first seed's. Folders are made.
  func paths(prompt: String, seeds: [UInt64], numbersGoOn: Bool = false) throws -> [String] {
    switch place {
    case .named(let path): return [path]
    case .file: return [Self.free("", prompt, seeds[0])]
    case .numbered(let name):
      let numbers = (1...).lazy.filter { !numbersGoOn || !exists(name[$0]) }
      return Array(numbers.prefix(seeds.count).map { name[$0] })
    case .folder(let folder):
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let start = folder.hasSuffix("/") ? folder : "\(folder)/"
      return seeds.map { Self.free(start, prompt, $0) }
    }
  }

  /// A name that begins with `start` and that no file has.
  private static func free(_ start: String, _ prompt: String, _ seed: UInt64) -> String {
    let stem = "\(start)\(stem(of: prompt))-\(seed)"
    let other = (2...).lazy.map { "\(stem)-\($0).png" }.first { !exists($0) }
    return exists("\(stem).png") ? other ?? stem : "\(stem).png"
  }

  /// The letters and digits of a prompt, of any script, as a part of a file's name.
  static func stem(of prompt: String) -> String {
    var words: [String] = [""]
    var length = 0
    for sign in prompt.precomposedStringWithCanonicalMapping.lowercased() {
      guard sign.isLetter || sign.isNumber else {
        if words.last != "" { words.append("") }
        continue
      }
      length += sign.utf8.count
      // File systems take names of 255 bytes.
      guard length <= 120, words.joined().count < 48 else { break }
      words[words.count - 1].append(sign)
    }
    let stem = words.filter { !$0.isEmpty }.joined(separator: "-")
    return stem.isEmpty ? "picture" : stem
  }
}

/// A file's name with a place for a number: `%d`, or `%03d` for `001`.
struct Numbered {
  private let start: Substring
  private let width: Int
  private let end: Substring

  /// `nil` for a name without such a place.
  init?(_ name: String) {
    guard let found = name.firstMatch(of: /%(?:0(\d))?d/) else { return nil }
    start = name[..<found.range.lowerBound]
    end = name[found.range.upperBound...]
    width = found.1.flatMap { Int($0) } ?? 0
  }

  /// The name with a number.
  subscript(number: Int) -> String {
    let digits = "\(number)"
    return start + String(repeating: "0", count: max(width - digits.count, 0)) + digits + end
  }
}

private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

private func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}
