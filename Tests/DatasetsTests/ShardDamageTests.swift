import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

@Suite struct ShardDamageTests {
  private let classes = #""classes": ["a", "b", "c", "d", "e"], "#

  private func options(_ workers: Int? = nil, batchSize: Int = 8) -> DataLoader.Options {
    var options = DataLoader.Options(
      batchSize: batchSize, seed: 2, dropsLast: false, workers: workers)
    options.shuffleBuffer = 20
    return options
  }

  /// Damaged pictures, samples without one, of another size, of no known class.
  @Test func othersStandIn() throws {
    try withScratchFolder { folder throws in
      let wide = try Image(width: 3, height: 2, filledWith: [1]).pngBytes()
      let broken: [Int: [UInt8]] = [
        5: Tar.member("s5.cls", "1") + Tar.member("s5.png", Array("no picture".utf8)),
        17: Tar.member("s17.txt", "alone"),
        18: Tar.member("s18.cls", "2") + Tar.member("s18.png", wide),
        33: Tar.member("s33.cls", "9") + Tar.member("s33.png", try NumberedShards.picture(33)),
        34: Tar.member("s34.png", try NumberedShards.picture(34)),
      ]
      try NumberedShards.write(
        folder, [20, 20, 10], extra: classes
      ) { broken[$0] ?? $1 }
      let set = try ShardedImages(path: folder, split: .train)
      let loader = try DataLoader(set, options(3))
      var numbers: [Int] = []
      try loader.forEachInEpoch { batch in
        #expect(batch.labels == batch.indices.map { $0 % 5 } && batch.numbers == batch.indices)
        numbers += batch.numbers
      }
      #expect(numbers.count == 50 && loader.damagedCount == 5)
      #expect(Set(numbers) == Set(0..<50).subtracting(broken.keys))
      let notes = loader.takeNotes()
      #expect(notes.count == 1)
      for name in ["s5.png", "s17 has no picture", "3×2 pixels", "the class 9", "s34 has no class"]
      { #expect(notes.first?.contains(name) == true, "\(notes)") }
      #expect(loader.takeNotes().isEmpty)
      let again = try batches(of: set, options(1)).flatMap(\.numbers)
      #expect(again == numbers)
      // With a size, pictures are brought to it.
      let fitted = try ShardedImages(path: folder, split: .train, imageSize: 2)
      let other = try DataLoader(fitted, options())
      try other.forEachInEpoch { _ in }
      #expect(other.damagedCount == 4)
    }
  }

  /// A block without a good sample takes the next ones after it.
  @Test func wholeBlocksAreGone() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [40, 15]) { number, bytes in
        number < 40 ? Tar.member("s\(number).png", "broken") : bytes
      }
      let set = try ShardedImages(path: folder, split: .train)
      let loader = try DataLoader(set, options())
      var numbers: [Int] = []
      try loader.forEachInEpoch { numbers += $0.numbers }
      #expect(numbers.count == 55 && numbers.allSatisfy { $0 >= 40 })
      #expect(loader.damagedCount == 40)
    }
  }

  @Test func tooMuchIsAnError() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [400]) { number, bytes in
        number.isMultiple(of: 3) ? Tar.member("s\(number).png", "broken") : bytes
      }
      let loader = try DataLoader(ShardedImages(path: folder, split: .train), options())
      let error = #expect(throws: DatasetError.self) { try loader.forEachInEpoch { _ in } }
      let sentence = error?.sentence ?? ""
      #expect(sentence.contains("read so far are damaged, more than 100"), "\(sentence)")
      #expect(sentence.contains("part-000.tar: s"), "\(sentence)")
      #expect(throws: DatasetError.self) { try loader.next() }
    }
  }

  /// A shard that is cut at any place: whole samples come, the others are counted.
  @Test func endsEarly() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [4, 30], extra: classes)
      let path = "\(folder)/part-000.tar"
      let whole = try Array(Data(contentsOf: URL(filePath: path)))
      let ends = try (0..<4).map { number in
        try (0...number).reduce(0) { $0 + (try NumberedShards.sample($1, labelled: true)).count }
      }
      let padding = 512 - (try NumberedShards.picture(0).count)
      #expect(padding > 0)
      for cut in 0...whole.count where cut % 512 == 0 || cut % 512 == 100 {
        try put(Array(whole[..<cut]), path)
        let set = try ShardedImages(path: folder, split: .train)
        let loader = try DataLoader(set, options(2))
        var numbers: [Int] = []
        try loader.forEachInEpoch { numbers += $0.numbers }
        #expect(numbers.count == 34)
        let lost = ends.count { $0 - padding > cut }
        #expect(loader.damagedCount == lost, "\(cut)")
        let notes = loader.takeNotes()
        #expect(notes.contains { $0.contains("part-000.tar: ") } == (lost > 0), "\(notes)")
      }
      try FileManager.default.removeItem(atPath: path)
      let set = try ShardedImages(path: folder, split: .train)
      #expect(set.notes == ["1 shard (part-000.tar) of the index cannot be found."])
      let loader = try DataLoader(set, options())
      try loader.forEachInEpoch { _ in }
      #expect(loader.damagedCount == 4)
      #expect(loader.takeNotes().first?.contains("it cannot be opened") == true)
    }
  }

  @Test func moreSamplesThanTheIndexSays() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [10, 30])
      try NumberedShards.index(
        folder,
        [
          #"{"url": "part-000.tar", "nsamples": 6}"#,
          #"{"url": "part-001.tar", "nsamples": 30, "filesize": 17}"#,
          #"{"url": "test-000.tar", "nsamples": 1}"#,
        ])
      let set = try ShardedImages(path: folder, split: .train)
      #expect(set.count == 36)
      #expect(set.notes.first?.contains("1 shard has (part-001.tar) another length") == true)
      let loader = try DataLoader(set, options())
      try loader.forEachInEpoch { _ in }
      #expect(loader.damagedCount == 0)
      #expect(
        loader.takeNotes()
          == ["part-000.tar: it has more samples than the 6 that its index says"])
    }
  }

  /// Random changes anywhere in the shards: batches of full size, or a sentence.
  @Test func fuzz() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [12, 12], extra: classes)
      let path = "\(folder)/part-000.tar"
      let whole = try Array(Data(contentsOf: URL(filePath: path)))
      var generator = SplitMix64(9)
      for _ in 0..<60 {
        var bytes = whole
        for _ in 0..<1 + generator.below(5) {
          bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
        }
        try put(Array(bytes.prefix(bytes.count - generator.below(2000))), path)
        let set = try ShardedImages(path: folder, split: .train, imageSize: 2, channels: 1)
        let found = try batches(of: set, options(2))
        #expect(found.map(\.count) == [8, 8, 8])
        _ = try? ShardInspection(path: folder, decoding: true)
      }
    }
  }
}
