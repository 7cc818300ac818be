import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

/// `config.json` and weights on disk, whole and damaged.
@Suite struct FolderTests {
  private let network = Autoencoder(
    .small(.variational, .conv, imageSize: 9, channels: 3), using: Generator(seed: 1))

  /// What opening `folder` says, once `damage` has been done to a saved network.
  private func saying(_ damage: (_ config: String, _ weights: String) throws -> Void) throws
    -> (file: String?, sentence: String)
  {
    try withScratchFolder { folder in
      try network.save(to: folder)
      let config = "\(folder)/\(Autoencoder.FileName.config)"
      let weights = "\(folder)/\(Autoencoder.FileName.weights)"
      try damage(config, weights)
      var found: (any ExplainedError)?
      do {
        _ = try Autoencoder(folder: folder)
      } catch {
        found = error as? any ExplainedError
      }
      let error = try #require(found)
      return (error.path.map { URL(filePath: $0).lastPathComponent }, error.sentence)
    }
  }

  private func edit(_ path: String, _ change: (inout JSON) -> Void) throws {
    var json = try JSON(contentsOfFile: path)
    change(&json)
    try json.write(to: path)
  }

  @Test func comesBackAsItWas() throws {
    try withScratchFolder { folder in
      try network.save(to: folder)
      let opened = try Autoencoder(folder: folder)
      #expect(opened.config == network.config)
      for (a, b) in zip(network.state, opened.state) {
        #expect(a.key == b.key)
        expectEqual(b.tensor, a.tensor, a.key)
      }
      let x = Tensor.rand([2, 3, 9, 9], using: Generator(seed: 2))
      expectEqual(opened.decode(opened.encode(x)), network.decode(network.encode(x)))
    }
  }

  @Test func anotherStateCanBeSaved() throws {
    try withScratchFolder { folder in
      try network.save(to: folder, state: network.state.map { ($0.key, $0.tensor + 1) })
      let opened = try Autoencoder(folder: folder)
      for (a, b) in zip(network.state, opened.state) { expectEqual(b.tensor, a.tensor + 1, a.key) }
    }
  }

  @Test func damagedConfigurationsAreExplained() throws {
    let missing = try saying { config, _ in try FileManager.default.removeItem(atPath: config) }
    #expect(missing.file == "config.json")
    let broken = try saying { config, _ in
      try Data("{\"kind\":".utf8).write(to: .init(filePath: config))
    }
    #expect(broken.file == "config.json")
    let lacking = try saying { config, _ in try edit(config) { $0["latent_dim"] = nil } }
    #expect(lacking.file == "config.json" && lacking.sentence.contains("latent_dim"))
    let wrong = try saying { config, _ in try edit(config) { $0["likelihood"] = "poisson" } }
    #expect(wrong.file == "config.json" && wrong.sentence.contains("likelihood"))
    let impossible = try saying { config, _ in try edit(config) { $0["image_size"] = 3 } }
    #expect(
      impossible.sentence == "an image_size of 3 cannot be halved 2 times; "
        + "list fewer block_out_channels or use larger pictures.")
  }

  @Test func damagedWeightsAreExplained() throws {
    let file = Autoencoder.FileName.weights
    let missing = try saying { _, weights in try FileManager.default.removeItem(atPath: weights) }
    #expect(missing.file == file)
    let cut = try saying { _, weights in
      try Data(contentsOf: .init(filePath: weights)).dropLast(7).write(to: .init(filePath: weights))
    }
    #expect(cut.file == file && cut.sentence.contains("cut short"))
    let other = try saying { config, _ in try edit(config) { $0["latent_dim"] = 4 } }
    #expect(other.file == file)
    #expect(
      other.sentence == """
        these weights do not fit the network: 3 weights have another shape: encoder.head.weight \
        is [6, 8], the network's is [8, 8], encoder.head.bias is [6], the network's is [8], \
        decoder.hidden.0.weight is [8, 3], the network's is [8, 4].
        """)
  }

  /// A configuration may not ask for more memory than there is: it comes from a file.
  @Test func networksBeyondAllMeasureAreRefused() throws {
    let huge = try saying { config, _ in
      try edit(config) {
        $0["architecture"] = "mlp"
        $0["image_size"] = 1024
        $0["hidden_dims"] = [65536, 65536]
      }
    }
    #expect(huge.file == "config.json" && huge.sentence.contains("more than 1073741824"))
  }
}

@Suite struct WeightsTests {
  @Test(arguments: DType.allCases)
  func everyTypeGoesRound(_ dtype: DType) throws {
    let values = Tensor([0, 1, 2, 3, 250, 7] as [Float], shape: [2, 3])
    let tensors = [
      ("matrix", values.to(dtype)), ("scalar", Tensor(1, dtype: dtype)),
      ("turned", values.to(dtype).transposed()), ("empty", Tensor.zeros([0, 4], dtype: dtype)),
    ]
    try withScratchFolder { folder in
      let path = "\(folder)/weights.safetensors"
      try Weights.write(tensors.map { (key: $0.0, tensor: $0.1) }, to: path)
      let read = try Weights.read(path)
      #expect(read.keys.sorted() == tensors.map(\.0).sorted())
      for (key, tensor) in tensors { expectEqual(try #require(read[key]), tensor, key) }
      #expect(try SafetensorsFile(path: path).metadata == ["format": "pt"])
    }
  }

  /// Tensors in the file's own memory: theirs to change, and there when the file is not any more.
  @Test(arguments: [DType.float16, .float32, .uint8])
  func largeTensorsAreReadWhenNeeded(_ dtype: DType) throws {
    let values = Tensor.randint(0..<100, [300, 301], using: Generator(seed: 1)).to(dtype)
    try withScratchFolder { folder in
      let path = "\(folder)/weights.safetensors"
      try Weights.write([("a", values), ("b", values + 1)], to: path)
      let (one, other) = (try Weights.read(path), try Weights.read(path))
      try #require(one["a"]).fill(7)
      expectEqual(try #require(one["b"]), values + 1)
      expectEqual(try #require(Weights.read(path)["a"]), values)
      try FileManager.default.removeItem(atPath: path)
      expectEqual(try #require(other["a"]), values)
      expectEqual(try #require(one["a"]), .full([300, 301], 7, dtype: dtype))
    }
  }

  /// A header may end anywhere; processors want numbers at multiples of their size.
  @Test func tensorsMayLieAnywhere() throws {
    let values = Tensor.randn([200, 100], using: Generator(seed: 1))
    let entry = #"{"a":{"dtype":"F32","shape":[200,100],"data_offsets":[0,80000]}}"#
    for spaces in 0..<4 {
      let header = entry + String(repeating: " ", count: spaces)
      let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      try withScratchFolder { folder in
        let path = "\(folder)/weights.safetensors"
        try (length + Data(header.utf8) + Data(values.rawBytes())).write(to: URL(filePath: path))
        expectEqual(try #require(Weights.read(path)["a"]), values, "\(spaces)")
      }
    }
  }

  /// Weights of every type make the network that has them converted, and in half precision at once.
  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64])
  func networksTakeOverWhatAFileHolds(_ dtype: DType) throws {
    var config = AutoencoderConfig.small(.variational, .mlp, imageSize: 28)
    config.hiddenDims = [300]
    let network = Autoencoder(config, using: Generator(seed: 1))
    let stored = network.state.map { (key: $0.key, tensor: $0.tensor.to(dtype)) }
    let x = Tensor.rand([2, 1, 28, 28], using: Generator(seed: 2))
    try withScratchFolder { folder in
      try network.save(to: folder, state: stored)
      for type in [DType.float32, .bfloat16] {
        let (opened, packed) = (try Autoencoder(folder: folder), try Autoencoder(folder: folder))
        for one in [opened, packed] { one.move(dtype: type) }
        packed.packForInference(freeingWeights: true)
        let codes = withoutGradients { packed.encode(x.to(type)) }
        for (a, b) in zip(stored, opened.state) {
          #expect(a.key == b.key)
          expectEqual(b.tensor, a.tensor.to(type), a.key)
        }
        let plain = withoutGradients { opened.encode(x.to(type)) }
        let error = type == .float32 ? 1e-5 : 1.0 / 64
        expectClose(codes, plain, rtol: error, atol: error)
      }
    }
  }

  @Test func typesThatNoNetworkUsesAreRefused() throws {
    try withScratchFolder { folder in
      let path = "\(folder)/weights.safetensors"
      try Safetensors.write(
        [.init(name: "odd", elementType: .int16, shape: [1], bytes: [1, 0])], to: path)
      let error = #expect(throws: SafetensorsError.self) { try Weights.read(path) }
      #expect(error?.path == path)
      #expect(
        error?.sentence == "the tensor \"odd\" holds I16 elements, which no network here uses.")
    }
  }
}
