import Foundation
import Interchange
import Testing

/// Every damaged file is refused with one sentence or read within its bounds.
@Suite struct SafetensorsDamageTests {
  /// Reads all of the file's bytes; returns the error's sentence, or nil when it was read.
  private func refusal(_ bytes: [UInt8], at path: String) throws -> String? {
    try Data(bytes).write(to: URL(filePath: path))
    do {
      let file = try SafetensorsFile(path: path)
      var total = 0
      for name in file.names {
        total += try file.bytes(of: name).count
        let info = try #require(file.tensors[name])
        #expect(info.byteCount == info.elementType.byteCount(shape: info.shape))
      }
      #expect(total <= bytes.count)
      return nil
    } catch let error as SafetensorsError {
      #expect(error.path == path)
      #expect(sentence(error.sentence) != nil, "\(error.sentence)")
      return error.sentence
    }
  }

  private func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    return withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) } + text
      + [UInt8](repeating: 0, count: data)
  }

  @Test func refusesMutations() throws {
    try withScratchFolder { folder throws in
      let original = try fixtureBytes("all_types.safetensors")
      var generator = SeededGenerator(state: 7)
      var refused = 0
      for _ in 0..<800 {
        let bytes = mutated(original, reach: original.count - 300, using: &generator)
        if try refusal(bytes, at: "\(folder)/m.safetensors") != nil { refused += 1 }
      }
      // Most injuries to the header show; some only rename a tensor.
      #expect(refused > 600)
      #expect(refused < 800)
    }
  }

  @Test func refusesEveryTruncation() throws {
    try withScratchFolder { folder throws in
      let original = try fixtureBytes("model-00002-of-00002.safetensors")
      #expect(try refusal(original, at: "\(folder)/t") == nil)
      for count in original.indices {
        #expect(try refusal(Array(original[..<count]), at: "\(folder)/t") != nil, "\(count)")
      }
      #expect(try refusal(original + [0], at: "\(folder)/t") != nil)
    }
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}"#, 9, "takes 8 bytes"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 7, "cut short"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9, "follow the last tensor"),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, "hole"),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
      3, "overlaps"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
      2, "overlaps"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      0, "twice"
    ),
    (#"{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}"#, 0, "twice"),
    (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, 0, "shape"),
    (#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1, "shape"),
    (#"{"a":{"dtype":"U8","shape":3,"data_offsets":[0,3]}}"#, 3, "shape"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#, 1, "data_offsets"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}"#, 1, "data_offsets"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, 1, "data_offsets"),
    (#"{"a":{"dtype":"U8","shape":[1]}}"#, 1, "data_offsets"),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]}}"#, 1,
      "data_offsets"
    ),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, 1, "cut short"),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775807,9223372036854775807]}}"#,
      1, "cut short"
    ),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#, 0, "overflows"),
    (
      #"{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}"#, 0,
      "overflows"
    ),
    (#"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8, "known are BOOL"),
    (#"{"a":{"dtype":7,"shape":[1],"data_offsets":[0,8]}}"#, 8, "dtype"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}"#, 1, "unknown key"),
    (#"{"a":[1]}"#, 0, "no object"),
    (#"{"__metadata__":{"a":1}}"#, 0, "text is expected"),
    (#"{"__metadata__":"a"}"#, 0, "no object of texts"),
    (#" {"a":1}"#, 0, "does not begin"),
    (#"[]"#, 0, "does not begin"),
    (#"{"a":}"#, 0, "malformed"),
    (#"{} x"#, 0, "malformed"),
  ]) func refusesCraftedHeaders(header: String, data: Int, reason: String) throws {
    try withScratchFolder { folder throws in
      let text = try refusal(file(header, data: data), at: "\(folder)/e")
      #expect(text?.contains(reason) == true, "\(text ?? "read")")
    }
  }

  @Test func refusesEvilSizes() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/e"
      for length in [0, 1, 3, 1000, 99_999_999, 100_000_001, 1 << 32, 1 << 63, UInt64.max] {
        #expect(try refusal(file("{}", length: length), at: path) != nil, "\(length)")
      }
      #expect(try refusal([], at: path) != nil)
      let deep = #"{"a":"# + String(repeating: "[", count: 100_000)
      #expect(try refusal(file(deep), at: path)?.contains("deep") == true)
      #expect(try refusal(file("{}"), at: path) == nil)
    }
  }

  @Test func refusesWhatIsNoFile() throws {
    try withScratchFolder { folder throws in
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder) }
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: "\(folder)/none") }
      #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
      let error = #expect(throws: SafetensorsError.self) {
        try SafetensorsFile(path: "\(folder)/pipe")
      }
      #expect(error?.sentence == "it is not a regular file, but a file is needed.")
    }
  }
}
