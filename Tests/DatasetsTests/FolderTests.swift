import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct FolderTests {
  private func failure(_ folder: String, _ split: Split = .train, size: Int? = nil) -> String {
    do {
      _ = try DatasetCatalog.open(folder, split: split, imageSize: size)
      return "opened"
    } catch {
      return error.sentence
    }
  }

  @Test func plainFolderWithCaptionsAndStrangers() throws {
    try withScratchFolder { folder throws in
      for index in 0..<40 {
        try putPicture("\(folder)/\(100 + index).png", 4, 3, [UInt8(index), 0, 7])
      }
      try put(" a red\ncat \n", "\(folder)/100.txt")
      try put("notes", "\(folder)/readme.md")
      try put("no picture", "\(folder)/broken.png")
      try put("x", "\(folder)/.hidden")
      let parts = try Split.allCases.map { try DatasetCatalog.open(folder, split: $0) }
      #expect(parts[0].count + parts[1].count == 40)
      #expect((1...12).contains(parts[1].count))
      #expect(parts[0].elementShape == [3, 3, 4])
      #expect(parts[0].fingerprint != parts[1].fingerprint)
      var reds: [UInt8] = []
      for part in parts {
        for index in 0..<part.count {
          guard case .bytes(let values) = try part.sample(at: index).values else { continue }
          reds.append(values[0])
          #expect(values[12] == 0 && values[35] == 7)
          #expect(
            part.caption(at: index)
              == (values[0] == 0 ? "a red cat" : part.caption(at: 0).map { _ in "" }))
        }
      }
      #expect(reds.sorted() == Array(0..<40))
      let notes = (parts[0].notes + parts[1].notes).joined()
      #expect(notes.contains("1 file that is no picture was (readme.md) skipped."))
      #expect(notes.contains("1 picture (broken.png) cannot be read and left out."))
    }
  }

  @Test func folderPerClassIsSplitByName() throws {
    try withScratchFolder { folder throws in
      for name in ["dogs", "cats"] {
        for index in 0..<30 {
          try putPicture("\(folder)/\(name)/\(index).png", 2, 2, [name == "cats" ? 1 : 2])
        }
      }
      try FileManager.default.createDirectory(
        atPath: "\(folder)/empty", withIntermediateDirectories: false)
      let train = try DatasetCatalog.open(folder, split: .train)
      let test = try DatasetCatalog.open(folder, split: .test)
      #expect(train.classNames == ["cats", "dogs"])
      #expect(train.elementShape == [1, 2, 2])
      #expect(train.count + test.count == 60)
      for index in 0..<train.count {
        let sample = try train.sample(at: index)
        #expect(sample.values == .bytes([UInt8](repeating: sample.label == 0 ? 1 : 2, count: 4)))
      }
    }
  }

  @Test func trainAndTestFolders() throws {
    try withScratchFolder { folder throws in
      try putPicture("\(folder)/train/a.png", 2, 2, [1])
      try putPicture("\(folder)/test/b.png", 2, 2, [2])
      #expect(
        try DatasetCatalog.open(folder, split: .train).sample(at: 0).values == .bytes([1, 1, 1, 1]))
      #expect(
        try DatasetCatalog.open(folder, split: .test).sample(at: 0).values == .bytes([2, 2, 2, 2]))
      try FileManager.default.removeItem(atPath: "\(folder)/train")
      #expect(failure(folder).contains("no folder \"train\""))
    }
  }

  @Test func trainIsAlsoAVehicle() throws {
    try withScratchFolder { folder throws in
      for name in ["train", "car", "test"] {
        for index in 0..<30 { try putPicture("\(folder)/\(name)/\(index).png", 2, 2, [1]) }
      }
      let set = try DatasetCatalog.open(folder, split: .train)
      #expect(set.classNames == ["car", "test", "train"])
      #expect(set.count > 60)
    }
  }

  @Test func metadata() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/train/metadata.jsonl"
      try putPicture("\(folder)/train/x/a.png", 2, 2, [1])
      try putPicture("\(folder)/train/b.png", 2, 2, [2])
      try put(
        #"{"file_name":"b.png","text":"파란 집"}"# + "\n\n" + #"{"file_name":"x/a.png","text":"a"}"#,
        path)
      try FileManager.default.createDirectory(
        atPath: "\(folder)/test", withIntermediateDirectories: false)
      let set = try DatasetCatalog.open(folder, split: .train)
      #expect((0..<2).map { set.caption(at: $0) } == ["파란 집", "a"])
      #expect(try set.sample(at: 1).values == .bytes([1, 1, 1, 1]))
      #expect((0..<2).map { set.captions(at: $0) } == [["파란 집"], ["a"]])
      try put(
        #"{"file_name":"b.png","text":"a house","texts":["파란 집","house"]}"# + "\n"
          + #"{"file_name":"x/a.png","text":"a","texts":[]}"#, path)
      let chosen = try DatasetCatalog.open(folder, split: .train)
      #expect(
        (0..<2).map { chosen.captions(at: $0) } == [["a house", "파란 집", "house"], ["a"]])
      #expect(chosen.caption(at: 0) == "a house")
      #expect(chosen.fingerprint != set.fingerprint)
      for (text, reason) in [
        (#"{"file_name":"b.png"}"#, "line 1"), ("{", "line 1"), ("\n[]", "line 2"),
        (#"{"file_name":"../b.png","text":""}"#, "not inside"),
        (#"{"file_name":"/etc/passwd","text":""}"#, "not inside"),
        (#"{"file_name":"none.png","text":""}"#, "1 file (none.png) that it lists"),
        ("", "none of its 1 files"),
      ] {
        try put(text, path)
        #expect(failure(folder).contains(reason), "\(failure(folder))")
      }
      try put([0xFF], path)
      #expect(failure(folder).contains("UTF-8"))
    }
  }

  @Test func sizes() throws {
    try withScratchFolder { folder throws in
      try putPicture("\(folder)/train/a.png", 4, 2, [1])
      try putPicture("\(folder)/train/b.png", 2, 2, [2])
      try putPicture("\(folder)/train/c.png", 2, 2, [3])
      #expect(
        failure(folder).contains(
          "2 different sizes (2 of 2×2, 1 of 4×2); choose one with --image-size"))
      let set = try DatasetCatalog.open(folder, split: .train, imageSize: 5, channels: 3)
      #expect(set.elementShape == [3, 5, 5])
      #expect(try set.sample(at: 0).values == .bytes([UInt8](repeating: 1, count: 75)))
      #expect(failure(folder, size: 0).contains("between 1 and 4096"))
    }
  }

  @Test func decodesOnTheFlyWhenMemoryIsShort() throws {
    try withScratchFolder { folder throws in
      for index in 0..<3 {
        try putPicture("\(folder)/train/\(index).png", 4, 3, [UInt8(index), 9, 9])
      }
      func open(_ limit: Int, _ size: Int?) throws -> any Dataset {
        try ImageFolder.open(
          folder, split: .train, imageSize: size, channels: 3, memoryLimit: limit)
      }
      let (lazy, stored) = (try open(10, nil), try open(1000, nil))
      #expect(lazy is LazyImages)
      #expect(stored is StoredImages)
      for index in 0..<3 { #expect(try lazy.sample(at: index) == stored.sample(at: index)) }
      #expect(try open(10, 2).sample(at: 1) == open(1000, 2).sample(at: 1))
      try put("damaged", "\(folder)/train/1.png")
      let error = #expect(throws: DatasetError.self) { try lazy.sample(at: 1) }
      #expect(error?.sentence.contains("1.png") == true)
      try putPicture("\(folder)/train/1.png", 5, 5, [1, 1, 1])
      #expect(throws: DatasetError.self) { try lazy.sample(at: 1) }
    }
  }

  @Test func saysWhatIsMissing() throws {
    try withScratchFolder { folder throws in
      #expect(failure("\(folder)/none").contains("no such file, folder or data set"))
      #expect(failure(folder).contains("the folder is empty"))
      try put("x", "\(folder)/a.txt")
      #expect(failure(folder).contains("none of its 1 files is a picture"))
      try put("x", "\(folder)/a.png")
      #expect(failure(folder).contains("can be read; they are damaged"))
      #expect(failure("\(folder)/a.txt").contains("no IDX file"))
      #expect(failure("fashion-mnst").contains("did you mean \"fashion-mnist\"?"))
      let error = #expect(throws: DatasetError.self) {
        try DatasetCatalog.open("cifar10", split: .train, environment: ["LATENT_DATA": folder])
      }
      #expect(error?.sentence.contains("looked in \(folder)/cifar10") == true)
      #expect(error?.sentence.contains("binary version") == true)
    }
  }

  @Test func catalogue() {
    let listings = DatasetCatalog.listings(environment: ["LATENT_DATA": "/nowhere"])
    #expect(
      listings.map { $0.name } == [
        "fashion-mnist", "mnist", "cifar10", "shapes", "ring8", "grid25",
      ])
    #expect(listings.suffix(3).allSatisfy { $0.isPresent })
    #expect(listings[1].places == ["/nowhere/mnist", "/usr/share/datasets/mnist"])
  }
}
