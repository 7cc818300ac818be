import Foundation
import Interchange
import TestSupport
import Testing

@testable import Datasets

@Suite struct IDXTests {
  @Test func readsPlainFiles() throws {
    try withScratchFolder { folder throws in
      try put(idx([2, 2, 3], Array(0..<12)), "\(folder)/x")
      let file = try IDXFile(path: "\(folder)/x")
      #expect(file.dimensions == [2, 2, 3])
      #expect(file.elements == Array(0..<12))
    }
  }

  @Test func opensTheFourFiles() throws {
    try withScratchFolder { folder throws in
      for (prefix, count) in [("train", 3), ("t10k", 2)] {
        let pixels = (0..<UInt8(count * 6)).map { $0 + (prefix == "train" ? 0 : 100) }
        try put(idx([count, 2, 3], pixels), "\(folder)/\(prefix)-images-idx3-ubyte")
        try put(
          idx([count], (0..<UInt8(count)).map { $0 * 2 }), "\(folder)/\(prefix)-labels-idx1-ubyte")
      }
      let train = try DatasetCatalog.open(folder, split: .train)
      #expect(train.count == 3)
      #expect(train.elementShape == [1, 2, 3])
      #expect(train.classNames == ["0", "1", "2", "3", "4"])
      #expect(
        try train.sample(at: 1)
          == Sample(values: .bytes([6, 7, 8, 9, 10, 11]), label: 2, caption: nil))
      let test = try DatasetCatalog.open(folder, split: .test)
      #expect(test.count == 2)
      #expect(try test.sample(at: 0).values == .bytes([100, 101, 102, 103, 104, 105]))
      #expect(train.fingerprint != test.fingerprint)
      #expect(train.fingerprint.count == 64)
      let fitted = try DatasetCatalog.open(folder, split: .train, imageSize: 8, channels: 3)
      #expect(fitted.elementShape == [3, 8, 8])
      guard case .bytes(let values) = try fitted.sample(at: 2).values else { return }
      #expect(values.count == 192)
      #expect(values[..<64] == values[64..<128])
      // Named through LATENT_DATA.
      try FileManager.default.moveItem(atPath: folder, toPath: "\(folder)-mnist")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      try FileManager.default.moveItem(atPath: "\(folder)-mnist", toPath: "\(folder)/mnist")
      let named = try DatasetCatalog.open(
        "mnist", split: .train, environment: ["LATENT_DATA": folder])
      #expect(named.name == "mnist")
      #expect(named.classNames?.count == 10)
    }
  }

  @Test func refusesLabelsThatDoNotFit() throws {
    try withScratchFolder { folder throws in
      let images = "\(folder)/mnist/train-images-idx3-ubyte"
      let labels = "\(folder)/mnist/train-labels-idx1-ubyte"
      try put(idx([200, 1, 1], [UInt8](repeating: 1, count: 200)), images)
      for (bytes, reason) in [
        (idx([199], [UInt8](repeating: 1, count: 199)), "there are 200 pictures"),
        (idx([200], [UInt8](repeating: 10, count: 200)), "the label 10"),
      ] {
        try put(bytes, labels)
        let error = #expect(throws: DatasetError.self) {
          try DatasetCatalog.open("mnist", split: .train, environment: ["LATENT_DATA": folder])
        }
        #expect(error?.path == labels)
        #expect(error?.sentence.contains(reason) == true)
      }
      try put(idx([200], [UInt8](repeating: 9, count: 200)), labels)
      // Without test files a tenth or so is held out, and nothing is in both parts.
      let parts = try Split.allCases.map {
        try DatasetCatalog.open("mnist", split: $0, environment: ["LATENT_DATA": folder]).count
      }
      #expect(parts.reduce(0, +) == 200)
      #expect((10...30).contains(parts[1]))
    }
  }

  static let fashion = "/usr/share/datasets/fashion-mnist"

  @Test(.enabled(if: FileManager.default.fileExists(atPath: fashion)))
  func readsDebiansFashionMNIST() throws {
    let test = try DatasetCatalog.open("fashion-mnist", split: .test, environment: [:])
    #expect(test.count == 10_000)
    #expect(test.elementShape == [1, 28, 28])
    #expect(test.classNames?[9] == "Ankle boot")
    #expect((0..<8).map { test.label(at: $0) } == [9, 2, 1, 1, 6, 1, 4, 6])
    #expect((0..<10_000).filter { test.label(at: $0) == 3 }.count == 1000)
  }

  @Test func refusesDamage() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/x"
      for (bytes, reason) in [
        ([], "first bytes"), ([0, 0, 8], "first bytes"), ([1, 0, 8, 1, 0, 0, 0, 0], "first bytes"),
        ([0, 0, 8, 0], "first bytes"), ([0, 0, 13, 1, 0, 0, 0, 0], "IDX type 13"),
        ([0, 0, 8, 2, 0, 0, 0, 1], "inside its header"), (idx([3], [1, 2]), "cut short"),
        (idx([3], [1, 2, 3, 4]), "goes on"),
        (idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], []), "more than is read"),
        (idx([Int](repeating: 0x8000_0000, count: 255), []), "more than is read"),
        (idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0], []), "more than is read"),
        (idx([0x7FFF_FFFF], [1]), "cut short"), ([0x1F, 0x8B], "cut short"),
        ([0x1F, 0x8B, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], "damaged"),
      ] as [([UInt8], String)] {
        try put(bytes, path)
        let error = #expect(throws: DatasetError.self) { try IDXFile(path: path) }
        #expect(error?.sentence.contains(reason) == true, "\(error?.sentence ?? "")")
      }
      #expect(throws: DatasetError.self) { try IDXFile(path: folder) }
      #expect(throws: DatasetError.self) { try IDXFile(path: "\(folder)/none") }
    }
  }

  /// What `gzip` makes of an IDX file [4, 3, 5] with the elements 0..<60.
  static let compressed: [UInt8] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0, 0x60,
    0x66, 0x60, 0x60, 0x60, 0x01, 0x62, 0x10, 0xcd, 0xca, 0xc0, 0xc8, 0xc4, 0xcc, 0xc2,
    0xca, 0xc6, 0xce, 0xc1, 0xc9, 0xc5, 0xcd, 0xc3, 0xcb, 0xc7, 0x2f, 0x20, 0x28, 0x24,
    0x2c, 0x22, 0x2a, 0x26, 0x2e, 0x21, 0x29, 0x25, 0x2d, 0x23, 0x2b, 0x27, 0xaf, 0xa0,
    0xa8, 0xa4, 0xac, 0xa2, 0xaa, 0xa6, 0xae, 0xa1, 0xa9, 0xa5, 0xad, 0xa3, 0xab, 0xa7,
    0x6f, 0x60, 0x68, 0x64, 0x6c, 0x62, 0x6a, 0x66, 0x6e, 0x61, 0x69, 0x65, 0x0d, 0x00,
    0x6b, 0xd5, 0x69, 0x29, 0x4c, 0x00, 0x00, 0x00,
  ]

  @Test func surroundsMutationsWithoutHarm() throws {
    try withScratchFolder { folder throws in
      let plain = idx([4, 3, 5], Array(0..<60))
      var generator = SplitMix64(5)
      var refused = 0
      for round in 0..<600 {
        var bytes = round.isMultiple(of: 2) ? plain : Self.compressed
        for _ in 0...generator.below(2) where !bytes.isEmpty {
          let place = generator.below(bytes.count)
          switch generator.below(4) {
          case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
          case 1: bytes.remove(at: place)
          case 2: bytes.insert(UInt8(generator.below(256)), at: place)
          default: bytes.removeLast(bytes.count - place)
          }
        }
        try put(bytes, "\(folder)/x")
        do {
          let file = try IDXFile(path: "\(folder)/x")
          #expect(file.dimensions.reduce(1, *) == file.elements.count)
        } catch {
          refused += 1
          let text = (error as? DatasetError)?.sentence ?? ""
          #expect(text.hasSuffix(".") && !text.contains("\n"), "\(error)")
        }
      }
      #expect(refused > 300)
      #expect(refused < 600)
      try put(Self.compressed, "\(folder)/x")
      #expect(try IDXFile(path: "\(folder)/x").elements == Array(0..<60))
    }
  }

  @Test func readsCIFAR10() throws {
    try withScratchFolder { folder throws in
      let bin = "\(folder)/cifar-10-batches-bin"
      for (number, file) in Split.allCases.flatMap(CIFAR10.files).enumerated() {
        try put(
          [UInt8(number)] + [UInt8](repeating: UInt8(10 * number), count: 3072), "\(bin)/\(file)")
      }
      let train = try DatasetCatalog.open(
        "cifar10", split: .train, environment: ["LATENT_DATA": folder])
      #expect(train.count == 5)
      #expect((0..<5).map { train.label(at: $0) } == [0, 1, 2, 3, 4])
      #expect(try train.sample(at: 3).values == .bytes([UInt8](repeating: 30, count: 3072)))
      #expect(try DatasetCatalog.open(bin, split: .test).label(at: 0) == 5)
      try put([10] + [UInt8](repeating: 0, count: 3072), "\(bin)/test_batch.bin")
      #expect(throws: DatasetError.self) { try DatasetCatalog.open(bin, split: .test) }
      try put([1, 2], "\(bin)/test_batch.bin")
      #expect(throws: DatasetError.self) { try DatasetCatalog.open(bin, split: .test) }
    }
  }
}
