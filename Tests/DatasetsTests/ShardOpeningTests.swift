import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ShardOpeningTests {
  private func failure(_ path: String, _ split: Split = .train) -> String {
    do {
      _ = try DatasetCatalog.open(path, split: split)
      return "opened"
    } catch {
      return error.sentence
    }
  }

  @Test func patterns() throws {
    #expect(try ShardPattern.expand("a.tar") == ["a.tar"])
    #expect(
      try ShardPattern.expand("a-{098..101}.tar")
        == ["a-098.tar", "a-099.tar", "a-100.tar", "a-101.tar"])
    #expect(
      try ShardPattern.expand("{x,y}/{9..10}.tar")
        == ["x/9.tar", "x/10.tar", "y/9.tar", "y/10.tar"])
    for wrong in [
      "{.tar", "{1..2.tar", "{}.tar", "{a}.tar", "{2..1}.tar", "{a..b}.tar", "{-1..2}.tar",
      "{1..}.tar", "{0..99999999}.tar", "{0..9999}{0..9999}.tar", "{0..99999999999999999999}.tar",
    ] { #expect(throws: DatasetError.self, "\(wrong)") { try ShardPattern.expand(wrong) } }
  }

  @Test func keysAndSuffixes() {
    func parts(_ name: String) -> [String]? {
      EncodedSample.parts(of: name).map { [$0.key, $0.suffix] }
    }
    #expect(parts("a/b.c/x.seg.PNG") == ["a/b.c/x", "seg.png"])
    #expect(parts("1.cls") == ["1", "cls"])
    for wrong in ["a", "a/b", ".hidden", "a.b/c", "a/._x.png", ""] { #expect(parts(wrong) == nil) }
    #expect(EncodedSample.Field(suffix: "jpg") == .picture)
    #expect(EncodedSample.Field(suffix: "seg.png") == nil)
    #expect(EncodedSample.Field(suffix: "npy") == nil)
  }

  @Test func fields() throws {
    var sample = EncodedSample(key: "a")
    #expect(sample.classNumber(among: []) == nil && sample.text == nil)
    sample.json = Array(#"{"label": 3, "text": " two\nlines ", "score": NaN}"#.utf8)
    #expect(sample.classNumber(among: []) == 3 && sample.text == "two lines")
    sample.json = Array(#"{"class": "cat", "caption": "c"}"#.utf8)
    #expect(sample.classNumber(among: ["dog", "cat"]) == 1 && sample.text == "c")
    (sample.label, sample.caption) = (" 7\n", "t\r\n")
    #expect(sample.classNumber(among: []) == 7 && sample.text == "t")
    sample.json = Array("{".utf8)
    sample.label = "x"
    #expect(sample.classNumber(among: ["dog"]) == nil)
  }

  @Test func heldOutParts() {
    func shards(_ names: [String], _ count: Int = 20) -> [Shard] {
      names.map { Shard(.file(path: "/x/\($0).tar"), count: count) }
    }
    func names(_ shards: [Shard]) -> [String] { shards.map(\.name) }
    let named = shards(["set-train-0", "set-val-0", "latest-1", "test-000"])
    #expect(names(named.part(.test)) == ["set-val-0.tar", "test-000.tar"])
    #expect(names(named.part(.train)) == ["set-train-0.tar", "latest-1.tar"])
    let many = shards((0..<40).map { "s\($0)" })
    let (train, test) = (many.part(.train), many.part(.test))
    #expect(train.count + test.count == 40 && (1...10).contains(test.count))
    #expect(Set(names(train)).isDisjoint(with: names(test)))
    #expect(shards((0..<10).map { "q\($0)" }).part(.test).count >= 1)
    let alike = shards([String](repeating: "base", count: 200))
    #expect((5...40).contains(alike.part(.test).count))
    let few = shards(["a", "b"])
    #expect(few.part(.train).map(\.samples) == [0..<20, 0..<18])
    #expect(few.part(.test).map(\.samples) == [18..<20])
    #expect(shards(["a"], 1).part(.train).isEmpty)
    #expect(shards(["a"], 1).part(.test).map(\.samples) == [0..<1])
  }

  @Test func opensWithAndWithoutIndex() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(
        folder, [7, 30], extra: #""classes": ["a", "b", "c", "d", "e"], "#)
      let indexed = try #require(
        DatasetCatalog.open(folder, split: .train) as? ShardedImages)
      #expect(indexed.count == 37 && indexed.elementShape == [1, 2, 2])
      #expect(indexed.classNames == ["a", "b", "c", "d", "e"] && indexed.notes.isEmpty)
      let byFile = try DatasetCatalog.open("\(folder)/shards.json", split: .train)
      #expect(byFile.fingerprint == indexed.fingerprint)
      let test = try DatasetCatalog.open(folder, split: .test)
      #expect(test is StoredImages && test.count == 1)
      #expect(test.caption(at: 0) == "number 0" && test.label(at: 0) == 0)
      #expect(test.fingerprint != indexed.fingerprint)

      try FileManager.default.removeItem(atPath: "\(folder)/shards.json")
      let scanned = try DatasetCatalog.open(folder, split: .train)
      #expect(scanned.count == 37 && scanned.classNames == ["0", "1", "2", "3", "4"])
      #expect(scanned.fingerprint == indexed.fingerprint)
      let pattern = try DatasetCatalog.open("\(folder)/part-{000..001}.tar", split: .train)
      #expect(pattern.count == 34)
      #expect(try DatasetCatalog.open("\(folder)/part-001.tar", split: .test).count == 3)
      let colour = try DatasetCatalog.open(folder, split: .train, imageSize: 5, channels: 3)
      #expect(colour.elementShape == [3, 5, 5])
      #expect(
        failure("\(folder)/part-{000..003}.tar")
          == "2 shards (\(folder)/part-002.tar, \(folder)/part-003.tar) of the 4 are not there.")
      #expect(failure("pipe:cat x.tar").contains("stands in an index"))
      try put("no tar at all", "\(folder)/test-000.tar")
      #expect(failure(folder) == "opened")
    }
  }

  @Test func foldersOfPicturesStayThat() throws {
    try withScratchFolder { folder throws in
      for number in 0..<30 { try putPicture("\(folder)/\(number).png", 2, 2, [1]) }
      try put(Tar.end, "\(folder)/backup.tar")
      #expect(try DatasetCatalog.open(folder, split: .train) is StoredImages)
    }
  }

  @Test func wrongIndices() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [3])
      let kind = #""__kind__": "wids-shard-index-v1""#
      let entry = #"{"url": "part-000.tar", "nsamples": 3}"#
      for (text, reason) in [
        ("{", "JSON line 1"), ("[]", "no index of shards"),
        (#"{"__kind__": "other", "shardlist": []}"#, "no index of shards"),
        ("{\(kind)}", "\"shardlist\""), ("{\(kind), \"shardlist\": []}", "\"shardlist\""),
        ("{\(kind), \"shardlist\": [{}]}", "entry 1 of its shardlist has no text \"url\""),
        (
          "{\(kind), \"shardlist\": [\(entry), {\"url\": \"a.tar\"}]}",
          "entry 2 of its shardlist (a.tar) has no whole number \"nsamples\""
        ),
        (#"{\#(kind), "shardlist": [{"url": "a.tar", "nsamples": -1}]}"#, "nsamples"),
        (#"{\#(kind), "shardlist": [{"url": "a.tar", "nsamples": 1e30}]}"#, "nsamples"),
        (
          #"{\#(kind), "shardlist": [{"url": "https://x/a.tar", "nsamples": 1}]}"#,
          "pipe:curl -s https://x/a.tar"
        ),
        (#"{\#(kind), "shardlist": [{"url": "a.tar", "nsamples": 5}]}"#, "none of its 1 shard"),
        (#"{\#(kind), "shardlist": [{"url": "part-000.tar", "nsamples": 0}]}"#, "no sample"),
        (#"{\#(kind), "classes": "a", "shardlist": [\#(entry)]}"#, "\"classes\""),
        (#"{\#(kind), "classes": [1], "shardlist": [\#(entry)]}"#, "\"classes\""),
        (#"{\#(kind), "image_size": 0, "shardlist": [\#(entry)]}"#, "\"image_size\""),
        (#"{\#(kind), "channels": 2, "shardlist": [\#(entry)]}"#, "\"channels\""),
      ] {
        try put(text, "\(folder)/shards.json")
        #expect(failure(folder).contains(reason), "\(failure(folder))")
      }
      try put("{}", "\(folder)/notes.json")
      #expect(failure("\(folder)/notes.json").contains("no index of shards"))
      try put("no tar", "\(folder)/x/a.tar")
      #expect(failure("\(folder)/x").contains("a header at byte 0"))
      try put(Tar.member("a.txt", "x") + Tar.end, "\(folder)/y/a.tar")
      #expect(failure("\(folder)/y").contains("no sample is left to learn from"))
      try put(
        (0..<20).flatMap { Tar.member("\($0).txt", "x") } + Tar.end, "\(folder)/z/a.tar")
      #expect(failure("\(folder)/z").contains("no picture of its shards can be read"))
      try put(Tar.member("0.cls", "999999999") + Tar.end, "\(folder)/k/a.tar")
      #expect(failure("\(folder)/k").contains("a class 999999999"))
    }
  }

  /// A sample in memory for whoever has to ask for single pictures.
  @Test func inMemory() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [10, 40, 20, 30]) { number, bytes in
        number == 1 ? Tar.member("s1.png", "broken") : bytes
      }
      let set = try DatasetCatalog.open(folder, split: .train)
      let error = #expect(throws: DatasetError.self) { try set.sample(at: 0) }
      #expect(error?.sentence.contains("in order") == true)
      let all = try set.inMemory()
      #expect(all.count == 99 && all.fingerprint == set.fingerprint)
      let some = try set.inMemory(8)
      let numbers = try (0..<some.count).map { place -> Int in
        guard case .bytes(let values) = try some.sample(at: place).values else { return -1 }
        #expect(some.label(at: place) == Int(values[1]) % 5)
        return Int(values[1])
      }
      #expect(numbers == [0, 2, 10, 11, 50, 51, 70, 71])
      #expect(some.notes.joined().contains("1 sample (part-000.tar: s1 has no class) cannot"))
      let shapes = ShapesDataset(split: .test)
      #expect(try shapes.inMemory(3).count == shapes.count)
    }
  }
}
