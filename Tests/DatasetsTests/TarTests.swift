import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct TarTests {
  private func problem(_ archive: [UInt8]) -> String? {
    do {
      _ = try Tar.read(archive)
      return nil
    } catch {
      return (error as? ShardError)?.problem ?? "\(error)"
    }
  }

  /// Python's tarfile in each dialect: prefixes, GNU's long names, pax; a folder and a link among
  /// the files.
  @Test(arguments: ["ustar", "gnu", "pax"])
  func readsWhatPythonWrites(dialect: String) throws {
    var names = [
      "plain.txt", "folder/\(String(repeating: "n", count: 80))/short.txt",
      "deep/\(String(repeating: "d", count: 60))/\(String(repeating: "e", count: 60))/long.txt",
    ]
    if dialect != "ustar" {
      names += ["long/\(String(repeating: "f", count: 200)).txt", "한글/그림.txt"]
    }
    let path = Fixture.folder.appending(path: "shards/\(dialect).tar").path
    let files = try Tar.read(path: path)
    #expect(files.map(\.name) == names)
    #expect(files.map { String(decoding: $0.content, as: UTF8.self) } == names)
  }

  /// What is written here, tar reads.
  @Test func writesWhatTarReads() throws {
    try withScratchFolder { folder in
      let path = "\(folder)/a.tar"
      let files: [(String, [UInt8])] = [("a.txt", []), ("b.png", Array(0..<200)), ("c.cls", [7])]
      try AtomicFileTar.write(files, to: path)
      #expect(try Tar.read(path: path).map(\.name) == ["a.txt", "b.png", "c.cls"])
      #expect(try Tar.read(path: path).map(\.content) == files.map(\.1))
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["-c", "cd '\(folder)' && tar xf a.tar && test $(wc -c <b.png) = 200"]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
  }

  @Test func numbers() {
    func number(_ bytes: [UInt8]) -> Int? {
      bytes.withUnsafeBytes { TarHeader.number($0[...]) }
    }
    #expect(number(Array("0000017\0".utf8)) == 15)
    #expect(number(Array("  17 \0".utf8)) == 15)
    #expect(number([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]) == 2 << 32 | 1)
    #expect(number([0xFF] + [UInt8](repeating: 0xFF, count: 11)) == nil)
    #expect(number([0x80] + [UInt8](repeating: 0xFF, count: 11)) == nil)
    for wrong in ["", "\0\0\0", "12x", "9", "-1"] { #expect(number(Array(wrong.utf8)) == nil) }
  }

  @Test func sizesInBase256AndByPax() throws {
    let size: [UInt8] = [0x80] + [UInt8](repeating: 0, count: 10) + [3]
    let files = try Tar.read(
      Tar.header("a.txt", size: size) + Tar.padded([1, 2, 3])
        + Tar.member("x", "9 size=4\n16 path=b/c.txt\n", type: "x")
        + Tar.header("b", size: Array("00000000000\0".utf8)) + Tar.padded([4, 5, 6, 7])
        + Tar.member("x", "18 path=ignored.x\n", type: "g") + Tar.member("c.txt", [8])
        + Tar.end)
    #expect(files.map(\.name) == ["a.txt", "b/c.txt", "c.txt"])
    #expect(files.map(\.content) == [[1, 2, 3], [4, 5, 6, 7], [8]])
  }

  @Test func records() {
    #expect(TarReader.records(Array("11 path=ab\n".utf8)).map(\.value) == ["ab"])
    for wrong in ["", "x", "5", "99 path=a\n", "-1 a=b\n", "0 a=b\n", "3 \n", "5 ab\n"] {
      #expect(TarReader.records(Array(wrong.utf8)).isEmpty, "\(wrong)")
    }
  }

  @Test func damage() throws {
    var archive = Tar.member("a.txt", "hello") + Tar.member("b.txt", "world") + Tar.end
    #expect(problem(archive) == nil)
    archive[1024] ^= 1
    #expect(
      problem(archive) == "a header is damaged or this is no tar archive (at byte 1024)")
    #expect(
      problem(Tar.header("a", size: Array("zzz".utf8)))
        == "a header has no size that could be (at byte 0)")
    let large = Tar.header("a.txt", size: Array("77777777777\0".utf8))
    #expect(problem(large) == "it ends early, inside a.txt")
    let name = Tar.header("a", size: Array("77777777777\0".utf8), type: "L")
    #expect(problem(name)?.hasPrefix("a header claims a name of") == true)
    #expect(problem([]) == nil)
  }

  /// Cut at every block, and between blocks: what was whole before is read, then a sentence.
  @Test func endsEarly() throws {
    let contents: [[UInt8]] = [[], [1], [UInt8](repeating: 2, count: 512), Array(0..<200)]
    var archive: [UInt8] = []
    var ends: [Int] = []
    for (place, content) in contents.enumerated() {
      archive += Tar.member("\(place).txt", content)
      ends.append(archive.count - (Tar.padded(content).count - content.count))
    }
    archive += Tar.end
    for cut in 0...archive.count where cut % 512 == 0 || cut % 97 == 0 {
      var (whole, problem): (Int, String?) = (0, nil)
      try withScratchFolder { folder in
        try put(Array(archive[..<cut]), "\(folder)/a.tar")
        var reader = TarReader(try ShardInput(.file(path: "\(folder)/a.tar")))
        do {
          while try reader.next() != nil {
            _ = try reader.content()
            whole += 1
          }
        } catch {
          problem = (error as? ShardError)?.problem
          #expect(problem != nil)
        }
        #expect(reader.hasEndMark == (problem == nil && cut >= archive.count - 512))
      }
      #expect(whole == ends.count { $0 <= cut }, "\(cut)")
      if let problem { #expect(problem.hasPrefix("it ends early, inside "), "\(problem)") }
    }
  }

  /// Random bytes and random changes: an end or a sentence, and never more memory than there are
  /// bytes.
  @Test func fuzz() throws {
    var generator = SplitMix64(5)
    let archive =
      Tar.member("x", "16 path=b/c.txt\n", type: "x") + Tar.member("a.txt", "hello")
      + Tar.member("l", "long.name.txt", type: "L") + Tar.member("b.png", [1, 2, 3]) + Tar.end
    for round in 0..<400 {
      var bytes = archive
      if round % 4 == 0 {
        bytes = (0..<generator.below(3000)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      }
      for _ in 0..<generator.below(6) where !bytes.isEmpty {
        bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
      }
      // Changes behind the checksum, too.
      if bytes.count >= 512, round % 2 == 1 {
        for place in 148..<156 { bytes[place] = 32 }
        let sum = Tar.octal(bytes[..<512].reduce(0) { $0 + Int($1) }, 6) + "\0 "
        bytes.replaceSubrange(148..<156, with: Array(sum.utf8))
      }
      bytes = Array(bytes.prefix(bytes.count - generator.below(bytes.count / 2 + 1)))
      do {
        let files = try Tar.read(bytes)
        #expect(files.reduce(0) { $0 + $1.content.count } <= bytes.count)
      } catch {
        #expect(error is ShardError, "\(error)")
      }
    }
  }
}
