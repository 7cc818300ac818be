import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Shards that a command of the shell prints.
@Suite struct ShardCommandTests {
  private func open(_ folder: String, _ commands: [String], count: Int) throws -> ShardedImages {
    try NumberedShards.index(
      folder,
      commands.map { "{\"url\": \"pipe:\($0)\", \"nsamples\": \(count)}" }
        + [#"{"url": "test-000.tar", "nsamples": 1}"#])
    return try ShardedImages(path: "\(folder)/shards.json", split: .train)
  }

  private func options() -> DataLoader.Options {
    var options = DataLoader.Options(batchSize: 10, seed: 3, dropsLast: false)
    options.shuffleBuffer = 15
    return options
  }

  @Test func givesWhatFilesGive() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [20, 20, 20])
      let files = try batches(of: ShardedImages(path: folder, split: .train), options(), epochs: 2)
      let set = try open(
        folder, (0..<3).map { "cat \(folder)/part-00\($0).tar" }, count: 20)
      #expect(set.count == 60 && set.classNames?.count == 5)
      let pipes = try batches(of: set, options(), epochs: 2)
      #expect(pipes == files)
      var later = options()
      later.start = .init(epoch: 1, batch: 3)
      #expect(try DataLoader(set, later).next() == files[9])
    }
  }

  @Test(arguments: [
    ("head -c 5000 part-001.tar", "its command failed", false),
    ("head -c 5000 part-001.tar; exit 22", "its command failed with exit status 22", true),
    ("exit 3", "it ends after 0 of 20 samples, and its command failed with exit status 3", true),
    (
      "cat part-001.tar; exit 7", "part-001.tar; exit 7: its command failed with exit status 7",
      true
    ),
    ("kill -9 $$", "its command was ended by signal 9", true),
    ("cat nowhere.tar 2>/dev/null", "its command failed with exit status 1", true),
  ])
  func failures(_ line: String, _ sentence: String, _ isTold: Bool) throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [20, 20, 20])
      let set = try open(
        folder, ["cat \(folder)/part-000.tar", "cd \(folder); \(line)"], count: 20)
      let loader = try DataLoader(set, options())
      var numbers: [Int] = []
      try loader.forEachInEpoch { numbers += $0.numbers }
      #expect(numbers.count == 40)
      let notes = loader.takeNotes().joined(separator: " | ")
      #expect(notes.contains(sentence) == isTold, "\(notes)")
      #expect((loader.damagedCount > 0) == !line.hasPrefix("cat part"))
    }
  }

  /// A command ends with whoever reads it, and no process stays behind.
  @Test func commandsEndWithTheLoader() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [20])
      let line = "echo $$ >\(folder)/process; cat \(folder)/part-000.tar; exec sleep 1000"
      let set = try open(folder, ["cat \(folder)/part-000.tar", line, line], count: 30)
      let start = ContinuousClock.now
      do {
        let loader = try DataLoader(set, options())
        _ = try loader.next()
        for _ in 0..<200 where !FileManager.default.fileExists(atPath: "\(folder)/process") {
          Thread.sleep(forTimeInterval: 0.01)
        }
      }
      #expect(.now - start < .seconds(8))
      let text = try String(contentsOfFile: "\(folder)/process", encoding: .utf8)
      let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(kill(process, 0) == -1 && errno == ESRCH)
    }
  }

  @Test func aSilentCommandIsNamed() throws {
    try withScratchFolder { folder throws in
      try NumberedShards.write(folder, [20])
      let set = try open(
        folder, ["cat \(folder)/part-000.tar", "sleep 1000"], count: 20)
      var options = options()
      (options.patience, options.shuffleBuffer) = (1, 100)
      let loader = try DataLoader(set, options)
      let error = #expect(throws: DatasetError.self) { try loader.next() }
      #expect(error?.sentence.contains("a pipe that nobody fills") == true)
    }
  }
}
