import Foundation
import Interchange
import TestSupport
import Testing

@testable import Training

@Suite struct RunFolderTests {
  private let files = FileManager.default

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  /// What `create` says in a folder that `prepare` has filled.
  private func refusal(
    replacing: Bool = false, _ prepare: (_ path: String) throws -> Void
  ) throws -> String? {
    try withScratchFolder { scratch in
      let path = "\(scratch)/run"
      try prepare(path)
      let before = try? files.subpathsOfDirectory(atPath: path).sorted()
      let error = #expect(throws: TrainingError.self) {
        try RunFolder(path: path).create(replacing: replacing)
      }
      #expect(error?.path == path)
      #expect(
        before == (try? files.subpathsOfDirectory(atPath: path).sorted()), "nothing changed")
      return error?.sentence
    }
  }

  @Test func makesItsFolders() throws {
    try withScratchFolder { scratch in
      let run = RunFolder(path: "\(scratch)/deep/run/")
      #expect(run.path == "\(scratch)/deep/run")
      try run.create(replacing: false)
      let names = try files.contentsOfDirectory(atPath: run.path)
      #expect(names.sorted() == ["checkpoints", "samples"])
      #expect(try run.createFolder("vae") == "\(run.path)/vae")
      #expect(files.fileExists(atPath: "\(run.path)/vae"))
    }
  }

  @Test func takesAnEmptyFolder() throws {
    try withScratchFolder { scratch in
      try RunFolder(path: scratch).create(replacing: false)
      #expect(files.fileExists(atPath: "\(scratch)/checkpoints"))
    }
  }

  @Test func replacesARunWhenAsked() throws {
    try withScratchFolder { scratch in
      let run = RunFolder(path: "\(scratch)/run")
      try run.create(replacing: true)
      try write("{}", run.recordPath)
      try write("old", run.metricsPath)
      try run.create(replacing: true)
      let names = try files.contentsOfDirectory(atPath: run.path)
      #expect(names.sorted() == ["checkpoints", "samples"])
    }
  }

  @Test func refusesWhatIsThere() throws {
    #expect(
      try refusal { try write("text", $0) } == "this is a file; name a folder for the run.")
    #expect(
      try refusal { path in
        try RunFolder(path: path).create(replacing: false)
        try write("{}", "\(path)/run.json")
      }
        == "a run is there already; choose another --out, go on with --resume, or replace it "
        + "with --force.")
  }

  /// `--force` removes runs alone.
  @Test(arguments: [false, true])
  func neverTouchesOtherThings(_ replacing: Bool) throws {
    let sentence = try refusal(replacing: replacing) { path in
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      try write("dear", "\(path)/thesis.txt")
    }
    #expect(sentence == "this folder holds other things than a run; choose another one.")
  }

  @Test func saysWhyAFolderCannotBeMade() throws {
    try withScratchFolder { scratch in
      try write("text", "\(scratch)/file")
      let error = #expect(throws: TrainingError.self) {
        try RunFolder(path: "\(scratch)/file/run").create(replacing: false)
      }
      #expect(error?.sentence.hasPrefix("the folder cannot be made: ") == true)
    }
  }

  private var record: RunRecord {
    get throws {
      RunRecord(
        family: "vae", command: ["latent", "train"], config: ["beta": 1], seed: UInt64(Int.max),
        data: .init(name: "discs", count: 20, fingerprint: "f", imageSize: 8, channels: 1))
    }
  }

  @Test func recordsGoRound() throws {
    try withScratchFolder { scratch in
      let run = RunFolder(path: scratch)
      var record = try record
      record.budget = .minutes(2.5)
      record.result = ["kl": 0.5]
      try record.write(to: run)
      let read = try RunRecord(of: run)
      #expect(read.seed == UInt64(Int.max))
      #expect(read.data == record.data && read.config == ["beta": 1])
      #expect(read.budget == .minutes(2.5) && read.result == ["kl": 0.5])
      #expect(read.status == .running && read.started == record.started)
    }
  }

  @Test func foldersThatAreNoRunsAreExplained() throws {
    try withScratchFolder { scratch in
      func sentence(_ path: String) -> String? {
        #expect(throws: TrainingError.self) { try RunRecord(of: RunFolder(path: path)) }?.sentence
      }
      #expect(
        sentence("\(scratch)/none") == "there is no such folder; name a run that was trained.")
      #expect(
        sentence(scratch)
          == "this folder is no run: it holds no run.json, which `latent train` writes.")
      try write("{\"family\": 3}", "\(scratch)/run.json")
      #expect(sentence(scratch)?.contains("family") == true)
    }
  }
}
