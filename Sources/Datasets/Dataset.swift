/// Which part of a data set: what a network learns from, or what it is judged by.
public enum Split: String, Sendable, CaseIterable, Codable {
  /// The part to learn from.
  case train
  /// The part held out.
  case test
}

/// A numbered collection of pictures or points that several threads may read at once. Elements of
/// `ShardedImages` cannot be asked for one by one.
public protocol Dataset: Sendable {
  /// What people call the set: its name or the last part of its path.
  var name: String { get }
  /// The number of elements.
  var count: Int { get }
  /// `[C, H, W]` for pictures, `[2]` for points in the plane.
  var elementShape: [Int] { get }
  /// How the numbers of an element are stored.
  var elementKind: ElementKind { get }
  /// The names of the labels, or nil when there are none.
  var classNames: [String]? { get }
  /// 64 hexadecimal digits (SHA-256) that change when the data does; each set says what goes in.
  var fingerprint: String { get }
  /// What a person should know about how the set was read, such as skipped files; one sentence each.
  var notes: [String] { get }

  /// Writes the element at `index` (`elementByteCount` bytes, row-major) to `destination`.
  ///
  /// - Throws: `DatasetError` when a file behind the set cannot be read.
  func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws
  /// The class of an element, in `0..<classNames.count`, or nil.
  func label(at index: Int) -> Int?
  /// The text that describes an element, or nil.
  func caption(at index: Int) -> String?
  /// Every text that describes an element, of which any may stand for it; empty without one.
  func captions(at index: Int) -> [String]
}

/// How the numbers of an element are stored.
public enum ElementKind: Sendable {
  /// One byte a number, 0 to 255 for the range 0 to 1.
  case bytes
  /// One `Float` a number.
  case floats

  /// The bytes that one number takes.
  public var stride: Int { self == .bytes ? 1 : MemoryLayout<Float>.stride }
}

/// The numbers of one element or of a batch, row-major.
public enum ElementValues: Sendable, Equatable {
  /// One byte a number, 0 to 255 for the range 0 to 1.
  case bytes([UInt8])
  /// Numbers as they are.
  case floats([Float])

  /// Makes `count` numbers of a kind; `fill` gets their memory and has to write all of it.
  init(
    _ kind: ElementKind, count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    switch kind {
    case .bytes:
      self = .bytes(
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
          try fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
          initialized = count
        })
    case .floats:
      self = .floats(
        try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
          try fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: 4 * count))
          initialized = count
        })
    }
  }
}

/// One element with what is known about it.
public struct Sample: Sendable, Equatable {
  /// The numbers, row-major in the shape of the set's elements.
  public let values: ElementValues
  /// The class, or nil.
  public let label: Int?
  /// The text that describes the element, or nil.
  public let caption: String?
}

extension Dataset {
  /// No notes.
  public var notes: [String] { [] }

  /// No texts.
  public func caption(at index: Int) -> String? { nil }

  /// The one text, where there is one.
  public func captions(at index: Int) -> [String] { caption(at: index).map { [$0] } ?? [] }

  /// The bytes that one element takes.
  public var elementByteCount: Int { elementShape.reduce(elementKind.stride, *) }

  /// The element at `index` with what is known about it.
  ///
  /// - Throws: `DatasetError` when a file behind the set cannot be read.
  public func sample(at index: Int) throws -> Sample {
    precondition(index >= 0 && index < count, "the set has \(count) elements, asked for \(index)")
    let values = try ElementValues(elementKind, count: elementShape.reduce(1, *)) {
      try copyElement(at: index, into: $0)
    }
    return Sample(values: values, label: label(at: index), caption: caption(at: index))
  }
}
