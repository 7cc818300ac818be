import Foundation
import Interchange
import Testing

@testable import Tokenizers

/// The golden files that generators/tokenizers.py wrote.
enum Golden {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/tokenizers").path

  static func json(_ name: String) throws -> JSON { try JSON(contentsOfFile: "\(folder)/\(name)") }

  /// The small files of a folder beside the vocabulary that all of them share.
  static func withFolder<R>(_ name: String, _ body: (String) throws -> R) throws -> R {
    try withScratch { scratch in
      for source in ["model", name] {
        let path = "\(folder)/\(source)"
        for file in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
          try FileManager.default.copyItem(atPath: "\(path)/\(file)", toPath: "\(scratch)/\(file)")
        }
      }
      return try body(scratch)
    }
  }

  static func tokenizer(_ name: String) throws -> CLIPTokenizer {
    try withFolder(name) { try CLIPTokenizer(folder: $0) }
  }
}

func withScratch<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "latent-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// Numbers that are the same in every run.
struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
