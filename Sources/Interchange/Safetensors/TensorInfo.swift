/// What a safetensors header says about one tensor.
public struct TensorInfo: Sendable, Equatable {
  /// The name in the file.
  public let name: String
  /// The type of the elements.
  public let elementType: ElementType
  /// The sizes of the dimensions; empty for a scalar.
  public let shape: [Int]
  /// The bytes that hold the elements, counted from the start of the file.
  public let byteRange: Range<Int>

  /// The size of the elements in bytes.
  public var byteCount: Int { byteRange.count }
}

/// A safetensors file, index or tensor that cannot be used.
public struct SafetensorsError: ExplainedError, Equatable {
  /// The file that the error concerns.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// Makes an error about the file at `path`.
  public init(path: String?, sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}
