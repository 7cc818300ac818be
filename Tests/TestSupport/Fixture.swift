import Foundation
import Interchange
import Models
import Torch

/// A golden file that Tests/Fixtures/make_fixtures.py wrote.
public struct Fixture: Sendable {
  private let file: SafetensorsFile

  /// Opens `Tests/Fixtures/<path>.safetensors`, wherever the tests are run from.
  public init(_ path: String) throws {
    file = try SafetensorsFile(path: Fixture.folder.appending(path: "\(path).safetensors").path)
  }

  /// Where all golden files lie.
  public static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

  /// The names of all tensors in the file.
  public var names: [String] { file.names }

  /// Whether the file holds a tensor of this name.
  public func contains(_ name: String) -> Bool { file.tensors[name] != nil }

  /// All tensors by name, each in memory of its own.
  public var tensors: [String: Tensor] {
    get throws {
      try Dictionary(uniqueKeysWithValues: names.map { ($0, try self[$0]) })
    }
  }

  /// One tensor by name, in memory of its own.
  public subscript(name: String) -> Tensor {
    get throws {
      try file.withBytes(of: name) { bytes in
        guard let info = file.tensors[name], let dtype = DType(info.elementType) else {
          throw SafetensorsError(path: file.path, sentence: "\"\(name)\" has a type of no tensor.")
        }
        return Tensor(bytes: bytes, shape: info.shape, dtype: dtype)
      }
    }
  }
}
