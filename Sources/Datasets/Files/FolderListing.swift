import Foundation
import Images
import Interchange

/// The pictures that a folder offers, before any is decoded.
struct FolderListing {
  struct Entry {
    /// The path below the folder, such as `cats/001.png`.
    let name: String
    let label: Int?
    /// Every text that describes the picture, the first the one that stands for it.
    let captions: [String]
  }

  let folder: String
  var entries: [Entry] = []
  var classNames: [String]?
  /// Files that are no pictures by their suffix, by their path below the folder.
  var strangers: [String] = []

  /// Lists one part of the set in `folder`: `train` and `test` folders where they are, otherwise
  /// a tenth held out by name, of few pictures the last.
  init(folder: String, split: Split) throws(DatasetError) {
    var parts = try Self.names(in: folder).folders
    // Beside other folders, "train" is a class of vehicles.
    if !parts.allSatisfy({ ["train", "test", "val", "validation"].contains($0) }) { parts = [] }
    if parts.contains(split.rawValue) {
      try self.init(whole: "\(folder)/\(split.rawValue)")
    } else if split == .test || !parts.contains("test") {
      try self.init(whole: parts.contains("train") ? "\(folder)/train" : folder)
      let all = entries
      let isChosen = all.contains { HeldOut.belongs($0.name, to: .test) }
      entries =
        isChosen
        ? all.filter { HeldOut.belongs($0.name, to: split) }
        : Array(split == .test ? all.dropFirst().suffix(1) : all.prefix(max(all.count - 1, 1)))
      // Too few to part with any.
      if entries.isEmpty, split == .train { entries = all }
      guard !entries.isEmpty else {
        throw DatasetError(
          path: folder,
          sentence:
            "one picture alone, and none is held out; add more, or put some into a folder \"test\" beside a folder \"train\"."
        )
      }
    } else {
      throw DatasetError(
        path: folder, sentence: "it has a folder \"test\", but no folder \"train\" beside it.")
    }
  }

  private init(whole folder: String) throws(DatasetError) {
    self.folder = folder
    let (files, folders) = try Self.names(in: folder)
    if files.contains("metadata.jsonl") {
      try addDescribed(files)
    } else if files.contains(where: { ImageFormat(path: $0) != nil }) {
      add(files, below: "", label: nil)
    } else {
      add(files, below: "", label: nil)
      var classes: [String] = []
      for name in folders {
        let inside = try Self.names(in: "\(folder)/\(name)").files
        let before = entries.count
        add(inside, below: "\(name)/", label: classes.count)
        if entries.count > before { classes.append(name) }
      }
      if !classes.isEmpty { classNames = classes }
    }
    guard !entries.isEmpty else {
      let found =
        strangers.isEmpty
        ? "the folder is empty" : "none of its \(strangers.count) files is a picture"
      throw DatasetError(
        path: folder,
        sentence: "\(found); put PNG, JPEG or WebP files there, or a folder per class.")
    }
  }

  private mutating func add(_ files: [String], below prefix: String, label: Int?) {
    let present = Set(files)
    var captionFiles: Set<String> = []
    for file in files where ImageFormat(path: file) != nil {
      let text = file[..<(file.lastIndex(of: ".") ?? file.endIndex)] + ".txt"
      var captions: [String] = []
      if present.contains(String(text)) {
        captionFiles.insert(String(text))
        captions = Self.caption("\(folder)/\(prefix)\(text)").map { [$0] } ?? []
      }
      entries.append(Entry(name: prefix + file, label: label, captions: captions))
    }
    strangers += files.filter { ImageFormat(path: $0) == nil && !captionFiles.contains($0) }
      .map { prefix + $0 }
  }

  /// The pictures that `metadata.jsonl` lists, in its order: `file_name`, `text`, and where a picture
  /// can be described in several ways `texts`, a list of them.
  private mutating func addDescribed(_ files: [String]) throws(DatasetError) {
    let path = "\(folder)/metadata.jsonl"
    var missing: [String] = []
    for (index, line) in try Self.lines(path).enumerated() where !line.allSatisfy(\.isWhitespace) {
      let record = try? JSON(parsing: String(line))
      guard let name = record?["file_name"]?.string, let text = record?["text"]?.string else {
        throw DatasetError(
          path: path,
          sentence: "line \(index + 1) is no JSON object with the texts \"file_name\" and \"text\"."
        )
      }
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      guard !parts.contains(where: { ["", ".", ".."].contains($0) }), !name.utf8.contains(0) else {
        throw DatasetError(
          path: path, sentence: "line \(index + 1) names a file that is not inside the folder.")
      }
      if FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
        let others = record?["texts"]?.array?.compactMap(\.string) ?? []
        entries.append(
          Entry(name: name, label: nil, captions: others.isEmpty ? [text] : [text] + others))
      } else {
        missing.append(name)
      }
    }
    guard missing.isEmpty else {
      throw DatasetError(
        path: path,
        sentence: "\(countedNames(missing, "file", "files")) that it lists are not in the folder.")
    }
    let known = Set(entries.map(\.name))
    strangers = files.filter { !known.contains($0) && $0 != "metadata.jsonl" }
  }

  private static func lines(_ path: String) throws(DatasetError) -> [Substring] {
    let text: String?
    do {
      text = try MappedFile(path: path).withUnsafeBytes {
        String(validating: $0.bindMemory(to: UInt8.self), as: UTF8.self)
      }
    } catch {
      throw DatasetError(path: path, sentence: error.sentence)
    }
    guard let text else {
      throw DatasetError(path: path, sentence: "it is not valid UTF-8; save it as UTF-8.")
    }
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }

  private static func caption(_ path: String) -> String? {
    (try? lines(path))?.joined(separator: " ").trimmingCharacters(in: .whitespaces)
  }

  /// The files and folders in a folder, hidden ones left out, in the order of their bytes.
  private static func names(
    in folder: String
  ) throws(DatasetError) -> (files: [String], folders: [String]) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw DatasetError(path: folder, sentence: "there is no such folder, so check the path.")
    }
    guard isFolder.boolValue, let all = try? FileManager.default.contentsOfDirectory(atPath: folder)
    else { throw DatasetError(path: folder, sentence: "it is no folder that can be read.") }
    var (files, folders): ([String], [String]) = ([], [])
    for name in all.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    where !name.hasPrefix(".") {
      _ = FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
      if isFolder.boolValue { folders.append(name) } else { files.append(name) }
    }
    return (files, folders)
  }
}

/// "1 file (a.txt)" or "12 files (a, b, c, …)".
func countedNames(_ names: [String], _ one: String, _ many: String) -> String {
  let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
  return "\(names.count) \(names.count == 1 ? one : many) (\(shown))"
}
