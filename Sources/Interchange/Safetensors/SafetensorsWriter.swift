/// Writing safetensors files.
public enum Safetensors {
  /// A tensor to be written: what it is, and a way to get its bytes when their turn comes.
  public struct Entry {
    /// The name in the file.
    public let name: String
    /// The type of the elements.
    public let elementType: ElementType
    /// The sizes of the dimensions; empty for a scalar.
    public let shape: [Int]
    let provide: (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// Makes an entry whose bytes (little-endian, row-major) `provide` hands to the sink, in one
    /// piece or several, only when the file is written.
    public init(
      name: String, elementType: ElementType, shape: [Int],
      provide: @escaping (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
      self.name = name
      self.elementType = elementType
      self.shape = shape
      self.provide = provide
    }

    /// Makes an entry from bytes (little-endian, row-major) that are there already.
    public init(name: String, elementType: ElementType, shape: [Int], bytes: [UInt8]) {
      self.init(name: name, elementType: elementType, shape: shape) { sink in
        try bytes.withUnsafeBytes(sink)
      }
    }
  }

  /// Writes tensors to a file that appears whole or not at all.
  ///
  /// The file is, byte for byte, what the Python library writes: tensors by element type (the
  /// widest first), then by name; a compact header padded with spaces to 8 bytes.
  /// - Throws: `SafetensorsError` for entries that do not make a valid file, `FileError` when the
  ///   disk refuses, or whatever an entry's provider throws.
  public static func write(
    _ entries: [Entry], metadata: [String: String] = [:], to path: String
  ) throws {
    let rank = Dictionary(
      uniqueKeysWithValues: zip(ElementType.allCases, ElementType.allCases.indices))
    let sorted = entries.sorted {
      let (left, right) = (rank[$0.elementType, default: 0], rank[$1.elementType, default: 0])
      return left != right
        ? left > right : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    let (header, byteCounts) = try header(of: sorted, metadata: metadata, path: path)
    try AtomicFile.write(to: path) { file in
      try file.write(header)
      for (entry, expected) in zip(sorted, byteCounts) {
        let start = file.byteCount
        try entry.provide { try file.write($0) }
        guard file.byteCount - start == expected else {
          throw SafetensorsError(
            path: path,
            sentence:
              "the tensor \"\(entry.name)\" gave \(file.byteCount - start) bytes, but its type and shape take \(expected)."
          )
        }
      }
    }
  }

  private static func header(
    of entries: [Entry], metadata: [String: String], path: String
  ) throws(SafetensorsError) -> (header: [UInt8], byteCounts: [Int]) {
    var json = JSONObject()
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
      json["__metadata__"] = .object(JSONObject(texts))
    }
    var byteCounts: [Int] = []
    var position = 0
    for entry in entries {
      guard let byteCount = entry.elementType.byteCount(shape: entry.shape),
        !position.addingReportingOverflow(byteCount).overflow
      else {
        throw SafetensorsError(
          path: path,
          sentence: "the tensor \"\(entry.name)\" has the impossible shape \(entry.shape).")
      }
      let offsets: [JSON] = [.int(position), .int(position + byteCount)]
      let isNew = json.insertNew(
        [
          "dtype": .string(entry.elementType.rawValue), "shape": .array(entry.shape.map(JSON.int)),
          "data_offsets": .array(offsets),
        ], forKey: entry.name)
      guard isNew, entry.name != "__metadata__" else {
        throw SafetensorsError(
          path: path, sentence: "the name \"\(entry.name)\" is taken; give each tensor its own.")
      }
      byteCounts.append(byteCount)
      position += byteCount
    }
    var text = Array(JSON.object(json).compact.utf8)
    text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    guard text.count <= SafetensorsHeader.maximumByteCount else {
      throw SafetensorsError(
        path: path, sentence: "the header would exceed 100 MB; use fewer tensors or less metadata.")
    }
    return (withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text, byteCounts)
  }
}
