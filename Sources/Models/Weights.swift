import Interchange
import NeuralNets
import Torch

/// Tensors in and out of safetensors files.
public enum Weights {
  /// Writes tensors under their keys; the file appears whole or not at all.
  ///
  /// Throws `FileError` when the disk refuses.
  public static func write(
    _ tensors: [(key: String, tensor: Tensor)], metadata: [String: String] = ["format": "pt"],
    to path: String
  ) throws {
    let entries = tensors.map { key, tensor in
      Safetensors.Entry(
        name: key, elementType: ElementType(tensor.dtype), shape: tensor.shape
      ) { sink in
        try tensor.rawBytes().withUnsafeBytes(sink)
      }
    }
    try Safetensors.write(entries, metadata: metadata, to: path)
  }

  /// The tensors of a file, or of the several files that an index (`….json`) lists, in the file's
  /// own memory: pages are read when they are needed, and leave memory with the tensor. Changing a
  /// tensor leaves the file as it is.
  ///
  /// Throws `SafetensorsError` when the file is no valid safetensors file, a file of the index is
  /// missing, or one holds an element type that no network here uses. Limitation: a file that another
  /// program cuts short while its tensors are in use ends the process, as of `MappedFile`.
  public static func read(_ path: String) throws -> [String: Tensor] {
    let file = try SafetensorsIndex(path: path)
    var tensors: [String: Tensor] = [:]
    for name in file.names {
      guard let info = file.tensors[name] else { continue }
      guard let dtype = DType(info.elementType) else {
        throw SafetensorsError(
          path: path,
          sentence: "the tensor \"\(name)\" holds \(info.elementType.rawValue) elements, "
            + "which no network here uses.")
      }
      tensors[name] = Tensor(of: try file.mappedBytes(of: name), shape: info.shape, dtype: dtype)
    }
    return tensors
  }

  /// Gives the tensors of a file, or of those that an index lists, to a network whose keys and
  /// shapes they must fit; `renaming` gives the network's key for one of the file, or `nil` for one
  /// that the network can do without. Each is read when the network first asks for it, and only
  /// then converted to the network's type.
  ///
  /// Throws `SafetensorsError`, also with all missing, unused and misshapen keys.
  public static func load(
    _ path: String, into module: Module, renaming: (String) -> String? = { $0 }
  ) throws {
    do {
      let found = try read(path).compactMap { key, tensor in
        renaming(key).map { ($0, tensor) }
      }
      try module.adopt(Dictionary(found) { first, _ in first })
    } catch let mismatch as StateMismatch {
      throw SafetensorsError(
        path: path, sentence: "these weights do not fit the network: \(mismatch).")
    }
  }
}

extension Tensor {
  /// What a file holds: in its own memory, or as a copy where that is not worth a mapping or does
  /// not lie as the processor needs it.
  fileprivate init(of bytes: MappedBytes, shape: [Int], dtype: DType) {
    let raw = UnsafeRawBufferPointer(bytes.unsafeBytes)
    let isAligned = Int(bitPattern: raw.baseAddress).isMultiple(of: dtype.size)
    if raw.count >= 1 << 16, isAligned {
      self.init(sharing: raw, owner: bytes, shape: shape, dtype: dtype)
    } else {
      self.init(bytes: raw, shape: shape, dtype: dtype)
    }
  }
}

extension ElementType {
  /// The file's name for a tensor's element type.
  init(_ dtype: DType) {
    self =
      switch dtype {
      case .uint8: .uint8
      case .int64: .int64
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      case .bool: .bool
      case .bfloat16: .bfloat16
      }
  }
}

extension DType {
  /// The tensor's element type for a file's; `nil` for those that tensors here do not have.
  public init?(_ type: ElementType) {
    switch type {
    case .uint8: self = .uint8
    case .int64: self = .int64
    case .float16: self = .float16
    case .float32: self = .float32
    case .float64: self = .float64
    case .bool: self = .bool
    case .bfloat16: self = .bfloat16
    default: return nil
    }
  }
}
