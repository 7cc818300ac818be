import Foundation
import Images
import Interchange
import TestSupport
import Testing

@testable import Datasets

@Suite struct ShardPackingTests {
  private func source(_ count: Int = 50) -> StoredImages {
    StoredImages(
      name: "numbers", samples: (0..<count).flatMap { [0, UInt8($0), 1, 2] },
      elementShape: [1, 2, 2], labels: (0..<count).map { $0 % 3 },
      captions: (0..<count).map { $0.isMultiple(of: 2) ? "number \($0)" : "" },
      classNames: ["a", "b", "c"])
  }

  @Test func packsAndOpens() throws {
    try withScratchFolder { folder throws in
      var packing = ShardPacking()
      (packing.samplesPerShard, packing.seed) = (20, 4)
      let place = "\(folder)/out/shards"
      var heard = 0
      let result = try packing.write(
        [.train: source(), .test: source(5)], to: place, replacing: false
      ) { heard = $0 }
      #expect(heard == 55 && result.shards == 4 && result.samples == [.train: 50, .test: 5])
      let names = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
      #expect(
        names == [
          "shards.json", "test-000000.tar", "train-000000.tar", "train-000001.tar",
          "train-000002.tar",
        ])
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/out") == ["shards"])
      let set = try ShardedImages(path: place, split: .train)
      #expect(set.count == 50 && set.elementShape == [1, 2, 2] && set.notes.isEmpty)
      #expect(set.classNames == ["a", "b", "c"])
      var options = DataLoader.Options(batchSize: 50, seed: 0, shuffles: false)
      options.shuffleBuffer = 7
      let batch = try DataLoader(set, options).next()
      #expect(batch.numbers.sorted() == Array(0..<50) && batch.numbers != Array(0..<50))
      #expect(batch.labels == batch.numbers.map { $0 % 3 })
      #expect(
        batch.captions == batch.numbers.map { $0.isMultiple(of: 2) ? "number \($0)" : "" })

      let found = try ShardInspection(path: place, decoding: true)
      #expect(found.shards == 4 && found.found == 55 && found.samples[.test] == 5)
      #expect(found.fields == ["png": 55, "cls": 55, "txt": 28])
      #expect(found.classes.map(\.count) == [19, 19, 17])
      #expect(found.sizes == ["2×2×1": 55] && found.damaged == 0 && found.problems.isEmpty)
      #expect(found.bytes == result.bytes)

      // The same seed gives the same bytes.
      let again = "\(folder)/again"
      _ = try packing.write([.train: source(), .test: source(5)], to: again, replacing: false)
      for name in names where name.hasSuffix(".tar") {
        let files = try [place, again].map { try Fingerprint.ofFile("\($0)/\(name)") }
        #expect(files[0] == files[1])
      }
      // Shards pack into shards.
      let parts = try ShardPacking.parts(of: place, imageSize: 4, channels: 3)
      #expect(parts[.test] is ShardedImages)
      packing.format = .jpeg
      packing.bytesPerShard = 1
      let small = try packing.write(parts, to: again, replacing: true)
      #expect(small.shards == 55)
      #expect(try ShardedImages(path: again, split: .train).elementShape == [3, 4, 4])
    }
  }

  @Test func leavesNothingHalfDone() throws {
    try withScratchFolder { folder throws in
      struct Stop: Error {}
      #expect(throws: Stop.self) {
        try ShardPacking().write(
          [.train: source(), .test: source(5)], to: "\(folder)/a", replacing: false
        ) { if $0 == 30 { throw Stop() } }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      try put("x", "\(folder)/mine/notes.txt")
      try put("x", "\(folder)/old/a.tar")
      try put("x", "\(folder)/file")
      for (name, replacing, sentence) in [
        ("mine", true, "other things than shards"), ("old", false, "--force"),
        ("file", true, "this is a file"),
      ] {
        let error = #expect(throws: DatasetError.self) {
          try ShardPacking().write(
            [.train: source()], to: "\(folder)/\(name)", replacing: replacing)
        }
        #expect(error?.sentence.contains(sentence) == true)
      }
      #expect(throws: DatasetError.self) {
        try ShardPacking.parts(of: "ring8", imageSize: nil, channels: nil)
      }
    }
  }

  @Test func inspectionNamesDamage() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [10, 10]) { number, bytes in
        switch number {
        case 3: Tar.member("s3.png", "broken")
        case 4: Tar.member("s4.cls", "1")
        case 15: bytes + Tar.member("odd", "no suffix")
        default: bytes
        }
      }
      let path = "\(folder)/part-001.tar"
      let whole = try Array(Data(contentsOf: URL(filePath: path)))
      try put(Array(whole[..<(whole.count / 2 + 100)]), path)
      let quick = try ShardInspection(path: folder, decoding: false)
      #expect(quick.sizes.isEmpty && quick.damaged == 0 && quick.shards == 3)
      let found = try ShardInspection(path: folder, decoding: true)
      #expect(found.damaged == 3 && found.found < 20)
      let problems = found.problems.joined(separator: " | ")
      for sentence in [
        "part-000.tar: s3.png: this is not a PNG", "part-000.tar: s4 has no picture",
        "part-001.tar: it ends early, inside", "samples, not 10",
      ] { #expect(problems.contains(sentence), "\(problems)") }
    }
  }
}
