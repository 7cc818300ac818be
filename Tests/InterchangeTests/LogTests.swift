import Foundation
import Testing

@testable import Interchange

@Suite struct TensorBoardTests {
  /// The fixture comes from TensorBoard's own messages and record writer. That TensorBoard opens a
  /// file of this writer follows from equal bytes; it was also checked once by loading one with
  /// `tensorboard.backend.event_processing.event_accumulator.EventAccumulator(path).Reload()`, which
  /// showed the scalars, the picture and the histogram.
  @Test func writesWhatTensorBoardWrites() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/events"
      let writer = try TensorBoardWriter(path: path) { 1_700_000_000.25 }
      try writer.scalar("loss/train", 0, step: 0)
      try writer.scalars([("손실", -1.5)], step: 300)
      try writer.image(
        "samples", png: Array("not really a png".utf8), width: 3, height: 2, channels: 3, step: 7)
      // [-1, 3] in two intervals with ends 1 and 3.
      try writer.histogram("weights", Histogram([-1, -1, 0, 3, 3], bins: 2), step: 9)
      #expect(
        try Array(Data(contentsOf: URL(filePath: path)))
          == fixtureBytes("events.out.tfevents.fixture"))
    }
  }

  @Test func histogramsCountEveryFiniteValue() {
    let values = (0..<1000).map { Float($0) / 7 } + [.nan, .infinity]
    let histogram = Histogram(values)
    #expect(histogram.count == 1000)
    #expect(histogram.counts.reduce(0, +) == 1000)
    #expect(histogram.counts.count == 30)
    #expect(histogram.limits.last == histogram.maximum)
    #expect(zip(histogram.limits, histogram.limits.dropFirst()).allSatisfy { $0 < $1 })
    #expect(abs(histogram.sum - 999 * 500 / 7.0) < 0.1)
    #expect(Histogram([2, 2]).counts == [2])
    #expect(Histogram([2, 2]).limits == [3])
    #expect(Histogram([.nan]).count == 0)
    #expect(Histogram([-.greatestFiniteMagnitude, .greatestFiniteMagnitude]).count == 2)
  }

  @Test func namesTheFileAsTensorBoardExpects() throws {
    try withScratchFolder { folder throws in
      _ = try TensorBoardWriter(folder: folder)
      _ = try TensorBoardWriter(folder: folder)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(names.count == 2)
      #expect(names.allSatisfy { $0.hasPrefix("events.out.tfevents.") })
      #expect(throws: FileError.self) { try TensorBoardWriter(folder: "\(folder)/none") }
    }
  }

  @Test func checksums() {
    // The check values of the CRC catalogue.
    #expect(Checksum.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
  }
}

@Suite struct MetricsLogTests {
  @Test func appendsAndReads() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/metrics.jsonl"
      do {
        let log = try MetricsLog(path: path)
        try log.append(["step": 1, "loss": 0.5])
        try log.append(["step": 2, "loss": .double(.nan)])
      }
      #expect(
        try String(contentsOfFile: path, encoding: .utf8)
          == "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":null}\n")
      // A process was killed in the middle of a line.
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(#"{"step":3,"lo"#.utf8))
      #expect(try MetricsLog.read(path).map { $0["step"]?.int } == [1, 2])
      try MetricsLog(path: path).append(["step": 3])
      #expect(try MetricsLog.read(path).map { $0["step"]?.int } == [1, 2, 3])
      try MetricsLog.rewind(path, toStep: 1)
      #expect(try MetricsLog.read(path).map { $0["step"]?.int } == [1])
      try MetricsLog.rewind("\(folder)/none", toStep: 1)
      #expect(names(in: folder) == ["metrics.jsonl"])
    }
  }

  @Test func refusesBrokenLines() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/metrics.jsonl"
      try AtomicFile.write("{\"a\":1}\n\n[1]\n{}\n", to: path)
      let error = #expect(throws: JSONError.self) { try MetricsLog.read(path) }
      #expect(error?.sentence.hasPrefix("line 3 is no JSON object") == true)
      try AtomicFile.write("{\"a\":", to: path)
      #expect(try MetricsLog.read(path).isEmpty)
    }
  }
}
