import Foundation
import Testing

@testable import Interchange

@Suite struct AtomicFileTests {
  @Test func replacesWholeOrNotAtAll() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/a.txt"
      try AtomicFile.write("old", to: path)
      struct Interruption: Error {}
      #expect(throws: Interruption.self) {
        try AtomicFile.write(to: path) { file in
          try file.write(Array("half".utf8))
          throw Interruption()
        }
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
      try AtomicFile.write("new", to: path)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
      #expect(names(in: folder) == ["a.txt"])
    }
  }

  #if os(Linux)
    /// `/dev/full` answers every write with ENOSPC, as a full disk does.
    @Test func leavesNothingOnAFullDisk() throws {
      try withScratchFolder { folder throws in
        let path = "\(folder)/a.txt"
        let error = #expect(throws: FileError.self) {
          try AtomicFile.write(
            to: path,
            opening: { partial in
              #expect(FileManager.default.createFile(atPath: partial, contents: nil))
              return open("/dev/full", O_WRONLY)
            }
          ) { try $0.write([1, 2, 3]) }
        }
        #expect(error?.path == path)
        #expect(error?.code == ENOSPC)
        #expect(error?.sentence.contains("the disk is full, so free some space") == true)
        #expect(names(in: folder) == [])
      }
    }
  #endif

  @Test func refusesFoldersDevicesAndMissingFolders() throws {
    try withScratchFolder { folder throws in
      for path in [folder, "/dev/null", "\(folder)/none/a.txt", ""] {
        let error = #expect(throws: FileError.self) { try AtomicFile.write("x", to: path) }
        #expect(error.flatMap { sentence($0.sentence) } != nil, "\(path)")
      }
      #expect(names(in: folder) == [])
      // A name as long as names may be: the file aside must not need a longer one.
      let long = "\(folder)/\(String(repeating: "n", count: 255))"
      try AtomicFile.write("x", to: long)
      #expect(try String(contentsOfFile: long, encoding: .utf8) == "x")
    }
  }

  @Test func fingerprints() throws {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(Fingerprint().hex == empty)
    #expect(Fingerprint.of(Array("abc".utf8)) == abc)
    var (left, right) = (Fingerprint(), Fingerprint())
    left.update(Array("a".utf8))
    left.update(Array("bc".utf8))
    #expect(left.hex == abc)
    (left, right) = (Fingerprint(), Fingerprint())
    left.update("a")
    left.update("bc")
    right.update("ab")
    right.update("c")
    #expect(left.hex != right.hex)
    try withScratchFolder { folder throws in
      try AtomicFile.write("abc", to: "\(folder)/a")
      #expect(try Fingerprint.ofFile("\(folder)/a") == abc)
      try AtomicFile.write("", to: "\(folder)/a")
      #expect(try Fingerprint.ofFile("\(folder)/a") == empty)
    }
  }
}
