/// A safetensors file mapped into memory, checked in full before one byte of a tensor is used.
public struct SafetensorsFile: Sendable {
  /// Where the file lies.
  public let path: String
  /// The texts under `__metadata__`.
  public let metadata: [String: String]
  /// Names in the order of their bytes in the file.
  public let names: [String]
  /// What the header says about each tensor, by name.
  public let tensors: [String: TensorInfo]
  /// The object that keeps the bytes alive; hold it for as long as a pointer into them is used.
  public let mapping: MappedFile

  /// Maps and checks the file at `path`.
  ///
  /// - Throws: `SafetensorsError` when it cannot be read or anything in its header is wrong.
  public init(path: String) throws(SafetensorsError) {
    self.path = path
    do {
      mapping = try MappedFile(path: path)
    } catch {
      throw SafetensorsError(path: path, sentence: error.sentence)
    }
    let header: SafetensorsHeader
    do {
      header = try mapping.withUnsafeBytes { (bytes) throws(JSONError) in
        try SafetensorsHeader(parsing: bytes)
      }
    } catch {
      throw SafetensorsError(path: path, sentence: error.sentence)
    }
    metadata = header.metadata
    names = header.tensors.map(\.name)
    tensors = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
  }

  /// Calls `body` with the bytes of a tensor, valid only during the call.
  ///
  /// - Throws: `SafetensorsError` when there is no such tensor, or whatever `body` throws.
  public func withBytes<R>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    let range = try info(name).byteRange
    return try mapping.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// The bytes of a tensor for use without a copy, for as long as the result is held.
  ///
  /// Changing them changes this process's private copy of the page and never the file. They are
  /// aligned to the element type in files that Latent or the Python library wrote; other writers
  /// may pad their header otherwise, so check before binding them to a type. Hold one result a tensor.
  /// - Throws: `SafetensorsError` when there is no such tensor.
  public func mappedBytes(of name: String) throws(SafetensorsError) -> MappedBytes {
    MappedBytes(try info(name).byteRange, of: mapping)
  }

  /// The bytes of a tensor as a copy.
  ///
  /// - Throws: `SafetensorsError` when there is no such tensor.
  public func bytes(of name: String) throws(SafetensorsError) -> [UInt8] {
    let range = try info(name).byteRange
    return mapping.withUnsafeBytes { Array($0[range]) }
  }

  private func info(_ name: String) throws(SafetensorsError) -> TensorInfo {
    guard let tensor = tensors[name] else {
      let hint = nearestName(to: name, among: names).map { "; the nearest is \"\($0)\"" } ?? ""
      throw SafetensorsError(path: path, sentence: "it holds no tensor \"\(name)\"\(hint).")
    }
    return tensor
  }
}
