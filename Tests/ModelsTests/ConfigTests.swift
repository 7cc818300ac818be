import Interchange
import Testing

@testable import Models

@Suite struct ConfigTests {
  @Test func goesRoundAsJSON() throws {
    for kind in AutoencoderConfig.Kind.allCases {
      for likelihood in Likelihood.allCases {
        var config = AutoencoderConfig.small(kind, .conv, imageSize: 28)
        config.likelihood = likelihood
        let decoded: AutoencoderConfig = try JSON(encoding: config).decode()
        #expect(decoded == config)
      }
    }
  }

  @Test func theKeysAreThoseOfTheFiles() throws {
    let json = try JSON(encoding: AutoencoderConfig.small(.variational, .mlp, imageSize: 28))
    #expect(json["_class_name"] == "variational-autoencoder")
    #expect(
      json.object?.keys.sorted() == [
        "_class_name", "activation", "architecture", "block_out_channels", "channels",
        "hidden_dims", "image_size", "latent_dim", "layers_per_block", "likelihood",
      ])
  }

  /// One change to a good configuration and the sentence that it earns.
  struct Change: Sendable, CustomTestStringConvertible {
    let sentence: String?
    let apply: @Sendable (inout AutoencoderConfig) -> Void
    var testDescription: String { sentence ?? "good" }

    init(_ sentence: String?, _ apply: @escaping @Sendable (inout AutoencoderConfig) -> Void) {
      self.sentence = sentence
      self.apply = apply
    }
  }

  static let changes: [Change] = [
    Change(nil) { _ in },
    Change(nil) { ($0.imageSize, $0.channels, $0.layersPerBlock) = (4, 4, 0) },
    Change(nil) { ($0.architecture, $0.blockOutChannels, $0.imageSize) = (.mlp, [], 1) },
    Change("image_size is 0; it must lie in 1...1024") { $0.imageSize = 0 },
    Change("image_size is 1025; it must lie in 1...1024") { $0.imageSize = 1025 },
    Change("channels is 5; it must lie in 1...4") { $0.channels = 5 },
    Change("latent_dim is -1; it must lie in 1...65536") { $0.latentDim = -1 },
    Change("layers_per_block is 17; it must lie in 0...16") { $0.layersPerBlock = 17 },
    Change("hidden_dims is 0; it must lie in 1...65536") { $0.hiddenDims = [4, 0] },
    Change("hidden_dims lists more than 16 layers") {
      $0.hiddenDims = Array(repeating: 1, count: 17)
    },
    Change("block_out_channels is 4097; it must lie in 1...4096") {
      $0.blockOutChannels = [4097]
    },
    Change("block_out_channels is empty; a conv network needs at least one level") {
      $0.blockOutChannels = []
    },
    Change(
      "an image_size of 28 cannot be halved 5 times; "
        + "list fewer block_out_channels or use larger pictures"
    ) { $0.blockOutChannels = [1, 2, 3, 4, 5] },
    Change(
      "an image_size of 28 cannot be halved 100 times; "
        + "list fewer block_out_channels or use larger pictures"
    ) { $0.blockOutChannels = Array(repeating: 1, count: 100) },
    Change(
      "the network would have 25873482515 weights, more than 1073741824; "
        + "choose smaller hidden_dims, latent_dim, block_out_channels or pictures"
    ) { ($0.architecture, $0.hiddenDims) = (.mlp, Array(repeating: 65536, count: 4)) },
  ]

  @Test(
    arguments: AutoencoderConfig.Kind.allCases, AutoencoderConfig.Architecture.allCases)
  func weightsAreCountedWithoutANetwork(
    _ kind: AutoencoderConfig.Kind, _ architecture: AutoencoderConfig.Architecture
  ) {
    for hidden in [[], [8], [8, 5]] {
      for likelihood in [Likelihood.l1, .gaussianLearned] {
        var config = AutoencoderConfig.small(kind, architecture, imageSize: 9, channels: 3)
        (config.hiddenDims, config.likelihood) = (hidden, likelihood)
        #expect(Autoencoder(config, using: nil).parameterCount == config.weightCount)
      }
    }
  }

  @Test(arguments: changes)
  func problemsAreSentences(_ change: Change) {
    var config = AutoencoderConfig.small(.deterministic, .conv, imageSize: 28)
    change.apply(&config)
    #expect(config.problem == change.sentence)
  }
}
