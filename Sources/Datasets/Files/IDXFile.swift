import Interchange

/// An array of bytes in the IDX format of the MNIST files, plain or compressed with gzip.
///
/// The format: two zero bytes, the element type (only 8, unsigned bytes, is read), the number of
/// dimensions, each dimension as a big-endian 32-bit number, then the elements row-major.
public struct IDXFile: Sendable {
  /// The size of each dimension, such as `[60000, 28, 28]`.
  public let dimensions: [Int]
  /// The elements, row-major.
  public let elements: [UInt8]

  /// The largest array that is read, in bytes.
  static let maximumByteCount = 1 << 34

  /// Reads the file at `path`.
  ///
  /// - Throws: `DatasetError` when it cannot be read, is damaged, cut short or not of bytes.
  public init(path: String) throws(DatasetError) {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw DatasetError(path: path, sentence: error.sentence)
    }
    self = try file.withUnsafeBytes { (bytes) throws(DatasetError) in
      try IDXFile(parsing: bytes, path: path)
    }
  }

  private init(parsing bytes: UnsafeRawBufferPointer, path: String) throws(DatasetError) {
    let isCompressed = bytes.starts(with: [0x1F, 0x8B])
    func expanded(limit: Int) throws(DatasetError) -> [UInt8] {
      guard isCompressed else { return Array(bytes.prefix(limit)) }
      do {
        return try gunzip(bytes, limit: limit)
      } catch {
        throw DatasetError(path: path, sentence: "\(error.problem); fetch it again.")
      }
    }
    let head = try expanded(limit: 4 + 4 * 255)
    guard head.count >= 4, head[0] == 0, head[1] == 0, head[3] > 0 else {
      throw DatasetError(path: path, sentence: "it is no IDX file; its first bytes are wrong.")
    }
    guard head[2] == 8 else {
      throw DatasetError(
        path: path, sentence: "its elements have IDX type \(head[2]), but only 8 (bytes) is read.")
    }
    let start = 4 + 4 * Int(head[3])
    guard head.count >= start else {
      throw DatasetError(path: path, sentence: "it ends inside its header; fetch it again.")
    }
    let dimensions = stride(from: 4, to: start, by: 4).map { offset in
      head[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    var count = 1
    for dimension in dimensions {
      let (product, overflows) = count.multipliedReportingOverflow(by: dimension)
      guard !overflows, product <= Self.maximumByteCount else {
        let sizes = dimensions.map(String.init).joined(separator: " × ")
        throw DatasetError(
          path: path, sentence: "it claims \(sizes) bytes, more than is read; it is damaged.")
      }
      count = product
    }
    // One byte more than expected shows that something follows.
    var content = try expanded(limit: start + count + 1)
    guard content.count == start + count else {
      let problem =
        content.count < start + count ? "is cut short" : "goes on after its last element"
      throw DatasetError(
        path: path,
        sentence: "it \(problem): \(count) bytes are announced; fetch it again.")
    }
    content.removeFirst(start)
    self.dimensions = dimensions
    elements = content
  }
}
