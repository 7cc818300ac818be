import Foundation
import Interchange
import Torch

/// The reference files under `Tests/Fixtures`.
public enum Fixture {
  /// The path of a file, given as `group/file`.
  public static func path(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/\(name)").path
  }

  /// All tensors of a safetensors file, given as `group/file.safetensors`.
  ///
  /// - Throws: `SafetensorsError` when the file cannot be read or holds types that Torch lacks.
  public static func load(_ name: String) throws -> [String: Tensor] {
    let file = try SafetensorsFile(path: path(name))
    return try file.tensors.mapValues { info in
      guard let dtype = dtypes[info.elementType] else {
        throw SafetensorsError(
          path: file.path, sentence: "\(info.name) has the type \(info.elementType.rawValue).")
      }
      return try file.withBytes(of: info.name) {
        Tensor(bytes: $0, shape: info.shape, dtype: dtype)
      }
    }
  }

  private static let dtypes: [ElementType: DType] = [
    .uint8: .uint8, .int64: .int64, .float16: .float16, .bfloat16: .bfloat16, .float32: .float32,
    .float64: .float64, .bool: .bool,
  ]
}
