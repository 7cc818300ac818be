import Foundation
import Images
import Testing

/// SplitMix64: the same mutations in every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite("Mutated files")
struct MutationTests {
  @Test(
    "a mutated file is read or refused with a sentence, soon", .timeLimit(.minutes(2)),
    arguments: Golden.all("decode"))
  func survives(golden: Golden) throws {
    let whole = [UInt8](try Data(contentsOf: URL(filePath: golden.path)))
    var random = SeededGenerator(state: golden.name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    var refused = 0
    for round in 0..<40 {
      var bytes = mutated(whole, round: round, with: &random)
      if golden.name.hasSuffix(".png") && round.isMultiple(of: 2) { repairChecksums(&bytes) }
      do throws(ImageError) {
        let image = try Image(decoding: bytes, name: "mutated")
        #expect(image.pixels.count == image.width * image.height * image.channels)
      } catch {
        refused += 1
        #expect(error.description.hasPrefix("mutated: "))
        #expect(error.description.count > "mutated: ".count + 10)
      }
    }
    #expect(refused > 0)
  }

  private func mutated(
    _ whole: [UInt8], round: Int, with random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = whole
    let place = Int.random(in: 2..<bytes.count, using: &random)
    switch round % 5 {
    case 0:
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1:
      for _ in 0..<8 {
        bytes[Int.random(in: 2..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
    case 2:
      bytes.removeSubrange(place..<min(place + Int.random(in: 1...9, using: &random), bytes.count))
    case 3:
      let junk = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      bytes.insert(contentsOf: junk, at: place)
    default:
      // The head holds sizes and tables, where a change has most to break.
      bytes[Int.random(in: 2..<min(64, bytes.count), using: &random)] = .random(
        in: 0...255, using: &random)
    }
    return bytes
  }

  /// Makes the checksums of the PNG chunks right, so that damage gets past them.
  private func repairChecksums(_ bytes: inout [UInt8]) {
    var at = 8
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard at + 12 + length <= bytes.count else { return }
      let sum = checksum(bytes[at + 4..<at + 8 + length])
      for index in 0..<4 {
        bytes[at + 8 + length + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * index))
      }
      at += 12 + length
    }
  }

  private func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { part, _ in
        part & 1 == 1 ? part >> 1 ^ 0xedb8_8320 : part >> 1
      }
    }
  }
}
