import Foundation

/// A small seeded generator, so that every run mutates alike.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// `bytes` with one to three random injuries: flipped bits, changed, removed, doubled or inserted
/// bytes, or a cut end. `reach` limits where they strike.
func mutated(
  _ bytes: [UInt8], reach: Int, using generator: inout SeededGenerator
) -> [UInt8] {
  var result = bytes
  for _ in 0..<Int.random(in: 1...3, using: &generator) where !result.isEmpty {
    let index = Int.random(in: 0..<min(reach, result.count), using: &generator)
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: result[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1: result[index] = UInt8.random(in: .min ... .max, using: &generator)
    case 2: result.remove(at: index)
    case 3: result.insert(UInt8.random(in: .min ... .max, using: &generator), at: index)
    case 4: result.insert(contentsOf: result[index..<min(index + 7, result.count)], at: index)
    default: result.removeLast(result.count - index)
    }
  }
  return result
}

/// The text of an error when it is one sentence without a line break, otherwise nil.
func sentence(_ text: String) -> String? {
  let isOne = text.hasSuffix(".") && !text.contains("\n") && text.count > 12 && text.count < 600
  return isOne ? text : nil
}

func fixture(_ name: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/interchange/\(name)").path
}

func fixtureBytes(_ name: String) throws -> [UInt8] {
  try Array(Data(contentsOf: URL(filePath: fixture(name))))
}

/// A folder that lasts as long as the test.
func withScratchFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "latent-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// The sorted names of the files in a folder, or nil when it cannot be read.
func names(in folder: String) -> [String]? {
  try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}
