import Foundation
import Interchange
import Testing

@Suite struct SafetensorsTests {
  /// Written by Python safetensors 0.8.0: every element type, a scalar, an empty tensor and a name
  /// full of characters that need escapes.
  @Test func readsWhatPythonWrites() throws {
    let file = try SafetensorsFile(path: fixture("all_types.safetensors"))
    let expected = try #require(try JSON(contentsOfFile: fixture("all_types.json")).object)
    #expect(Set(file.names) == Set(expected.keys))
    #expect(file.names.count == 18)
    #expect(file.metadata == ["note": "한국어 \u{1} \"x\" 🎨"])
    for (name, tensor) in expected {
      let info = try #require(file.tensors[name])
      #expect(info.elementType.rawValue == tensor["dtype"]?.string)
      #expect(info.shape == tensor["shape"]?.array?.compactMap(\.int))
      let hex = try file.bytes(of: name).map { String(format: "%02x", $0) }.joined()
      #expect(hex == tensor["hex"]?.string, "\(name)")
    }
    #expect(Set(file.tensors.values.map(\.elementType)) == Set(ElementType.allCases))
  }

  /// The other way round: the same tensors written by Swift are the same bytes as Python's file.
  @Test func writesWhatPythonWrites() throws {
    try withScratchFolder { folder throws in
      let original = try SafetensorsFile(path: fixture("all_types.safetensors"))
      let entries = original.names.shuffled().map { name in
        Safetensors.Entry(
          name: name, elementType: original.tensors[name]!.elementType,
          shape: original.tensors[name]!.shape
        ) { sink in try original.withBytes(of: name, sink) }
      }
      let path = "\(folder)/copy.safetensors"
      try Safetensors.write(entries, metadata: original.metadata, to: path)
      #expect(
        try Data(contentsOf: URL(filePath: path)) == Data(fixtureBytes("all_types.safetensors")))
      #expect(names(in: folder) == ["copy.safetensors"])
    }
  }

  @Test func sharesBytesWithoutTouchingTheFile() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/a.safetensors"
      try Safetensors.write(
        [.init(name: "a", elementType: .uint8, shape: [2], bytes: [1, 2])], to: path)
      let file = try SafetensorsFile(path: path)
      try file.mappedBytes(of: "a").unsafeBytes[0] = 9
      #expect(try file.bytes(of: "a") == [9, 2])
      #expect(try SafetensorsFile(path: path).bytes(of: "a") == [1, 2])
    }
  }

  /// Pages leave memory with the bytes that they belong to alone; neighbours keep what they changed.
  @Test func bytesComeAndGo() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/a"
      let content = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try Data(content).write(to: URL(filePath: path))
      let file = try MappedFile(path: path)
      let right = MappedBytes(20_001..<40_000, of: file)
      right.unsafeBytes[0] = 1
      do {
        let left = MappedBytes(3..<20_001, of: file)
        left.unsafeBytes[19_997] = 2
        for place in left.unsafeBytes.indices.dropLast() { left.unsafeBytes[place] = 0 }
      }
      #expect(right.unsafeBytes[0] == 1 && file.unsafeBytes[20_000] == 2)
      #expect(Array(right.unsafeBytes.dropFirst()) == Array(content[20_002...]))
      #if os(Linux)
        // A page that nobody else had a part of is the file's again.
        #expect(file.unsafeBytes[12_000] == content[12_000])
      #endif
      #expect(try Data(contentsOf: URL(filePath: path)) == Data(content))
    }
  }

  @Test func namesTheNearestTensor() throws {
    let file = try SafetensorsFile(path: fixture("model-00001-of-00002.safetensors"))
    let error = #expect(throws: SafetensorsError.self) { try file.bytes(of: "a.wieght") }
    #expect(error?.sentence.contains("the nearest is \"a.weight\"") == true)
  }

  @Test func readsShards() throws {
    let index = try SafetensorsIndex(path: fixture("model.safetensors.index.json"))
    #expect(index.names == ["a.weight", "b.weight", "c.bias"])
    #expect(index.shards.count == 2)
    try index.withBytes(of: "c.bias") { #expect($0.loadUnaligned(as: Float.self) == 2.5) }
    #expect(index.file(of: "a.weight")?.path.hasSuffix("model-00001-of-00002.safetensors") == true)
    let single = try SafetensorsIndex(path: fixture("model-00002-of-00002.safetensors"))
    #expect(single.names == ["b.weight", "c.bias"])
    #expect(throws: SafetensorsError.self) { try single.withBytes(of: "a.weight") { _ in } }
  }

  @Test func reportsEveryMissingShardAndTensorAtOnce() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/m.safetensors.index.json"
      func failure(_ map: JSON) throws -> String {
        try (["weight_map": map] as JSON).write(to: path)
        return #expect(throws: SafetensorsError.self) { try SafetensorsIndex(path: path) }?.sentence
          ?? ""
      }
      let missing = try failure(["x": "one.safetensors", "y": "two.safetensors"])
      #expect(missing.contains("one.safetensors, two.safetensors"))
      let bytes = try fixtureBytes("model-00001-of-00002.safetensors")
      try AtomicFile.write(bytes, to: "\(folder)/one.safetensors")
      let absent = try failure([
        "x": "one.safetensors", "a.weight": "one.safetensors", "y": "one.safetensors",
      ])
      #expect(absent.contains("x (one.safetensors), y (one.safetensors)"))
      #expect(!absent.contains("a.weight"))
      for evil in ["../one.safetensors", "/etc/passwd", "a\\b", "..", "", "a\u{0}b"] {
        #expect(try failure(["x": .string(evil)]).contains("plain file name"), "\(evil)")
      }
      #expect(try failure(["x": 3]).contains("plain file name"))
      #expect(try failure([]).contains("no \"weight_map\""))
    }
  }

  @Test func refusesToWriteWhatCannotBeRead() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/a.safetensors"
      func entry(_ name: String, _ shape: [Int], _ bytes: [UInt8] = []) -> Safetensors.Entry {
        .init(name: name, elementType: .float32, shape: shape, bytes: bytes)
      }
      for entries in [
        [entry("a", [0]), entry("a", [0])], [entry("__metadata__", [0])], [entry("a", [-1])],
        [entry("a", [Int.max, 2])], [entry("a", [2], [0, 0, 0, 0])], [entry("a", [0], [1])],
        [entry("a", [Int.max / 4]), entry("b", [Int.max / 4])],
      ] {
        #expect(throws: SafetensorsError.self) { try Safetensors.write(entries, to: path) }
      }
      #expect(names(in: folder) == [])
    }
  }
}
