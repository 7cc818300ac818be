import Foundation
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
  /// missing, or one holds an element type that no network here uses; of a pickle that lies there
  /// instead it says why it is not read. Limitation: a file that another program cuts short while its
  /// tensors are in use ends the process, as of `MappedFile`.
  public static func read(_ path: String) throws -> [String: Tensor] {
    if !FileManager.default.fileExists(atPath: path),
      let pickle = pickle(in: URL(filePath: path).deletingLastPathComponent().path)
    {
      throw SafetensorsError(path: pickle, sentence: Self.pickleRefusal)
    }
    let file = try SafetensorsIndex(path: path)
    var tensors: [String: Tensor] = [:]
    for name in file.names { tensors[name] = try file.file(of: name)?.tensor(named: name) }
    return tensors
  }

  /// Opens one safetensors file; of a pickle it says why it is not read.
  static func file(_ path: String) throws(SafetensorsError) -> SafetensorsFile {
    if isPickle(path) { throw SafetensorsError(path: path, sentence: pickleRefusal) }
    return try SafetensorsFile(path: path)
  }

  /// Why pickles are not read.
  public static let pickleRefusal =
    "this is a pickle, which can run any program when it is opened, so it is never read; save the "
    + "weights as safetensors instead."

  /// The first file of a folder whose name is that of a pickle; `nil` where there is none.
  public static func pickle(in folder: String) -> String? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().first(where: isPickle).map { "\(folder)/\($0)" }
  }

  /// Whether a file's name is that of a pickle.
  public static func isPickle(_ path: String) -> Bool {
    ["bin", "ckpt", "pt", "pth", "pkl"].contains(URL(filePath: path).pathExtension.lowercased())
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

extension SafetensorsFile {
  /// A tensor in the file's own memory, or a copy where that is not worth a mapping or does not lie as
  /// the processor needs it.
  ///
  /// Throws `SafetensorsError` when there is no such tensor, or its element type is one that no network
  /// here uses.
  func tensor(named name: String) throws(SafetensorsError) -> Tensor {
    let bytes = try mappedBytes(of: name)
    guard let info = tensors[name], let dtype = DType(info.elementType) else {
      let type = tensors[name]?.elementType.rawValue ?? "no"
      throw SafetensorsError(
        path: path,
        sentence: "the tensor \"\(name)\" holds \(type) elements, which no network here uses.")
    }
    let raw = UnsafeRawBufferPointer(bytes.unsafeBytes)
    let isAligned = Int(bitPattern: raw.baseAddress).isMultiple(of: dtype.size)
    return raw.count >= 1 << 16 && isAligned
      ? Tensor(sharing: raw, owner: bytes, shape: info.shape, dtype: dtype)
      : withExtendedLifetime(bytes) { Tensor(bytes: raw, shape: info.shape, dtype: dtype) }
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
