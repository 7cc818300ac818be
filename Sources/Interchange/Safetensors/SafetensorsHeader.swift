/// A header that was checked from end to end: every tensor lies inside the file, no two share a
/// byte, and no byte is left over.
struct SafetensorsHeader {
  /// The library that others read such files with refuses larger headers as well.
  static let maximumByteCount = 100_000_000

  /// Tensors in the order of their bytes.
  var tensors: [TensorInfo] = []
  var metadata: [String: String] = [:]

  init(parsing file: UnsafeRawBufferPointer) throws(JSONError) {
    let damaged = "the file is no safetensors file or is damaged, so fetch it again"
    guard file.count >= 8 else {
      throw JSONError(sentence: "it has \(file.count) bytes, too few for a header; \(damaged).")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= Self.maximumByteCount else {
      throw JSONError(
        sentence: "it claims a header of \(length) bytes, more than the 100 MB allowed; \(damaged)."
      )
    }
    guard length >= 2, length <= file.count - 8 else {
      throw JSONError(
        sentence:
          "it claims a header of \(length) bytes, but \(file.count - 8) follow; it is cut short or no safetensors file, so fetch it again."
      )
    }
    let dataStart = 8 + Int(length)
    let text = UnsafeRawBufferPointer(rebasing: file[8..<dataStart])
    guard text[0] == UInt8(ascii: "{") else {
      throw JSONError(sentence: "its header does not begin with \"{\"; \(damaged).")
    }
    let header: JSON
    do {
      header = try JSON(parsing: text)
    } catch {
      throw JSONError(
        sentence: "its header is malformed (\(error.sentence.dropLast())); \(damaged).")
    }
    for (name, entry) in header.object ?? [:] {
      if name == "__metadata__" {
        metadata = try Self.metadata(entry)
      } else {
        tensors.append(try Self.tensor(name, entry, dataStart: dataStart, end: file.count))
      }
    }
    tensors.sort {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound)
        < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    try checkContiguity(dataStart: dataStart, end: file.count)
  }

  private static func metadata(_ entry: JSON) throws(JSONError) -> [String: String] {
    guard let object = entry.object else {
      throw JSONError(sentence: "\"__metadata__\" in its header is no object of texts.")
    }
    var metadata: [String: String] = [:]
    for (key, value) in object {
      guard let text = value.string else {
        throw JSONError(
          sentence:
            "\(JSON.string(key).excerpt) in \"__metadata__\" of its header is \(value.excerpt), but a text is expected."
        )
      }
      metadata[key] = text
    }
    return metadata
  }

  private static func tensor(
    _ name: String, _ entry: JSON, dataStart: Int, end: Int
  ) throws(JSONError) -> TensorInfo {
    func failure(_ problem: String) -> JSONError {
      JSONError(sentence: "the tensor \(JSON.string(name).excerpt) in its header \(problem).")
    }
    guard let object = entry.object else { throw failure("is no object") }
    if let extra = object.keys.first(where: { !["dtype", "shape", "data_offsets"].contains($0) }) {
      throw failure("has an unknown key \(JSON.string(extra).excerpt)")
    }
    guard let typeName = object["dtype"]?.string else { throw failure("has no text \"dtype\"") }
    guard let elementType = ElementType(rawValue: typeName) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure("has the dtype \(JSON.string(typeName).excerpt), but known are \(known)")
    }
    guard let shape = object["shape"].flatMap(naturals) else {
      throw failure("has no \"shape\" of whole numbers from 0 up")
    }
    guard let offsets = object["data_offsets"].flatMap(naturals), offsets.count == 2,
      offsets[0] <= offsets[1]
    else { throw failure("has no \"data_offsets\" of a begin and a later end") }
    guard offsets[1] <= end - dataStart else {
      throw failure(
        "ends at byte \(offsets[1]) of the data, but the file holds \(end - dataStart); the file is cut short, so fetch it again"
      )
    }
    guard let byteCount = elementType.byteCount(shape: shape) else {
      throw failure("has a shape whose size overflows")
    }
    guard byteCount == offsets[1] - offsets[0] else {
      throw failure(
        "takes \(byteCount) bytes by dtype and shape, but \(offsets[1] - offsets[0]) by its offsets; the file is damaged"
      )
    }
    return TensorInfo(
      name: name, elementType: elementType, shape: shape,
      byteRange: dataStart + offsets[0]..<dataStart + offsets[1])
  }

  /// Only literal whole numbers count here: `1e3` or `2.0` are no offsets.
  private static func naturals(_ value: JSON) -> [Int]? {
    guard let elements = value.array else { return nil }
    var numbers: [Int] = []
    for element in elements {
      guard case .int(let number) = element, number >= 0 else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  private func checkContiguity(dataStart: Int, end: Int) throws(JSONError) {
    var position = dataStart
    for tensor in tensors {
      guard tensor.byteRange.lowerBound == position else {
        let problem =
          tensor.byteRange.lowerBound < position
          ? "overlaps the tensor before it" : "leaves a hole before it"
        throw JSONError(
          sentence:
            "the tensor \(JSON.string(tensor.name).excerpt) in its header \(problem); the file is damaged."
        )
      }
      position = tensor.byteRange.upperBound
    }
    guard position == end else {
      throw JSONError(
        sentence:
          "\(end - position) bytes follow the last tensor; the file is damaged, so fetch it again.")
    }
  }
}
