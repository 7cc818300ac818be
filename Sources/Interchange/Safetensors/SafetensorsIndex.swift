#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Tensors spread over several safetensors files, as a `*.safetensors.index.json` lists them, or
/// those of a single file: one way to look up either.
public struct SafetensorsIndex: Sendable {
  /// The index or the single file.
  public let path: String
  /// The files, in the order of their names.
  public let shards: [SafetensorsFile]
  /// Names shard by shard, in the order of their bytes.
  public let names: [String]
  /// What the headers say about each tensor, by name.
  public let tensors: [String: TensorInfo]
  private let shardOfName: [String: Int]

  /// Opens `path`: an index when its name ends in `.json`, otherwise a single safetensors file.
  ///
  /// Tensors in a shard that the index does not list are left out, as other readers do.
  /// - Throws: `SafetensorsError` that names every missing shard, or every tensor missing from its
  ///   shard, at once; or the first thing wrong with a file.
  public init(path: String) throws(SafetensorsError) {
    guard path.hasSuffix(".json") else {
      let file = try SafetensorsFile(path: path)
      self.path = path
      shards = [file]
      names = file.names
      tensors = file.tensors
      shardOfName = file.tensors.mapValues { _ in 0 }
      return
    }
    let map = try Self.weightMap(path)
    let fileNames = Set(map.lazy.map(\.file)).sorted()
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    let missing = fileNames.filter { access("\(folder)\($0)", F_OK) != 0 }
    guard missing.isEmpty else {
      throw SafetensorsError(
        path: path,
        sentence: "\(Self.list(missing)) that it lists are not beside it; fetch them as well.")
    }
    var shards: [SafetensorsFile] = []
    for name in fileNames { shards.append(try SafetensorsFile(path: "\(folder)\(name)")) }
    let shardOfFile = Dictionary(uniqueKeysWithValues: zip(fileNames, shards.indices))
    var tensors: [String: TensorInfo] = [:]
    var shardOfName: [String: Int] = [:]
    var absent: [String] = []
    for (name, file) in map {
      guard let shard = shardOfFile[file], let tensor = shards[shard].tensors[name] else {
        absent.append("\(name) (\(file))")
        continue
      }
      tensors[name] = tensor
      shardOfName[name] = shard
    }
    guard absent.isEmpty else {
      throw SafetensorsError(
        path: path,
        sentence:
          "\(Self.list(absent)) are missing from the shards that should hold them; fetch index and shards from the same place."
      )
    }
    self.path = path
    self.shards = shards
    self.tensors = tensors
    self.shardOfName = shardOfName
    names = shards.indices.flatMap { shard in
      shards[shard].names.filter { shardOfName[$0] == shard }
    }
  }

  /// The file that holds a tensor, or nil when none does.
  public func file(of name: String) -> SafetensorsFile? { shardOfName[name].map { shards[$0] } }

  /// Calls `body` with the bytes of a tensor, valid only during the call.
  ///
  /// - Throws: `SafetensorsError` when there is no such tensor, or whatever `body` throws.
  public func withBytes<R>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    try shard(name).withBytes(of: name, body)
  }

  /// The bytes of a tensor for use without a copy, as of `SafetensorsFile`.
  ///
  /// - Throws: `SafetensorsError` when there is no such tensor.
  public func mappedBytes(of name: String) throws(SafetensorsError) -> MappedBytes {
    try shard(name).mappedBytes(of: name)
  }

  private func shard(_ name: String) throws(SafetensorsError) -> SafetensorsFile {
    guard let file = file(of: name) else {
      let hint = nearestName(to: name, among: names).map { "; the nearest is \"\($0)\"" } ?? ""
      throw SafetensorsError(path: path, sentence: "it holds no tensor \"\(name)\"\(hint).")
    }
    return file
  }

  private static func weightMap(
    _ path: String
  ) throws(SafetensorsError) -> [(name: String, file: String)] {
    let json: JSON
    do {
      json = try JSON(contentsOfFile: path)
    } catch {
      throw SafetensorsError(path: path, sentence: error.sentence)
    }
    guard let map = json["weight_map"]?.object, !map.isEmpty else {
      throw SafetensorsError(
        path: path, sentence: "it has no \"weight_map\" object, so it is no safetensors index.")
    }
    var pairs: [(name: String, file: String)] = []
    for (name, value) in map {
      // A separator could lead out of the folder; a NUL would cut the name short.
      guard let file = value.string, !file.isEmpty, file != ".", file != "..",
        !file.utf8.contains(where: {
          $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0
        })
      else {
        throw SafetensorsError(
          path: path,
          sentence:
            "the shard of \(JSON.string(name).excerpt) is \(value.excerpt), but a plain file name beside the index is expected."
        )
      }
      pairs.append((name, file))
    }
    return pairs
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }
}
