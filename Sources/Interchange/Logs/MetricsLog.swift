/// A `metrics.jsonl` file: one JSON object a line, each written at once.
///
/// For use by one thread at a time.
public final class MetricsLog {
  private let file: AppendingFile

  /// Opens or creates the log at `path`; a last line that an earlier process left unfinished is cut
  /// off first.
  ///
  /// - Throws: `FileError` when it cannot be opened.
  public init(path: String) throws(FileError) {
    file = try AppendingFile(path: path)
    let whole = try MappedFile(path: path).withUnsafeBytes { bytes in
      (bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0, bytes.count)
    }
    if whole.0 < whole.1 { try file.truncate(to: whole.0) }
  }

  /// Appends one object as a line.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public func append(_ record: JSONObject) throws(FileError) {
    try file.append(Array((JSON.object(record).compact + "\n").utf8))
  }

  /// Reads the log at `path`; a last line without its newline is left out, because its writer was
  /// interrupted or is still at it.
  ///
  /// - Throws: `JSONError` that names the line when another one is no JSON object.
  public static func read(_ path: String) throws(JSONError) -> [JSONObject] {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    return try file.withUnsafeBytes { (bytes) throws(JSONError) in
      let end = bytes.lastIndex(of: 0x0A) ?? 0
      var records: [JSONObject] = []
      for (index, line) in bytes[..<end].split(separator: 0x0A, omittingEmptySubsequences: false)
        .enumerated() where !line.isEmpty
      {
        let object = try? JSON(parsing: UnsafeRawBufferPointer(rebasing: line)).object
        guard let object else {
          throw JSONError(
            path: path, sentence: "line \(index + 1) is no JSON object; repair or remove the line.")
        }
        records.append(object)
      }
      return records
    }
  }

  /// Removes the records of later steps than `step` (key `step`), so that a resumed run goes on
  /// where its checkpoint ends; a missing file is left missing.
  ///
  /// - Throws: `JSONError` when the log cannot be read, `FileError` when it cannot be replaced.
  public static func rewind(_ path: String, toStep step: Int) throws {
    guard (try? MappedFile(path: path)) != nil else { return }
    let kept = try read(path).filter { ($0["step"]?.int ?? 0) <= step }
    try AtomicFile.write(kept.map { JSON.object($0).compact + "\n" }.joined(), to: path)
  }
}
