import NeuralNets

/// The shape of an autoencoder, deterministic or variational: the `config.json` beside its weights.
public struct AutoencoderConfig: Codable, Sendable, Equatable {
  /// Which family of layers carries the picture to the code and back.
  public enum Architecture: String, Codable, Sendable, CaseIterable {
    /// Fully connected layers over all pixels: the classic.
    case mlp
    /// Strided convolutions down, transposed convolutions up.
    case conv
  }

  /// Whether a picture's code is a point or a distribution.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// A point: the autoencoder.
    case deterministic = "autoencoder"
    /// A diagonal Gaussian: the variational autoencoder.
    case variational = "variational-autoencoder"
  }

  /// Point or distribution.
  public var kind: Kind
  /// Fully connected or convolutional.
  public var architecture: Architecture
  /// Pixels along each side.
  public var imageSize: Int
  /// 1 for grey, 3 for colour.
  public var channels: Int
  /// Numbers in a code.
  public var latentDim: Int
  /// Widths of the fully connected layers between pixels (or the last convolution) and the code.
  public var hiddenDims: [Int]
  /// Channels after each halving of the picture; used by `conv` alone.
  public var blockOutChannels: [Int]
  /// Residual blocks after each halving; used by `conv` alone.
  public var layersPerBlock: Int
  /// The nonlinearity between layers.
  public var activation: Activation.Kind
  /// What the decoder's output means.
  public var likelihood: Likelihood

  enum CodingKeys: String, CodingKey {
    case kind = "_class_name"
    case architecture
    case imageSize = "image_size"
    case channels
    case latentDim = "latent_dim"
    case hiddenDims = "hidden_dims"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case activation
    case likelihood
  }

  /// All fields.
  public init(
    kind: Kind, architecture: Architecture, imageSize: Int, channels: Int, latentDim: Int,
    hiddenDims: [Int], blockOutChannels: [Int], layersPerBlock: Int, activation: Activation.Kind,
    likelihood: Likelihood
  ) {
    self.kind = kind
    self.architecture = architecture
    self.imageSize = imageSize
    self.channels = channels
    self.latentDim = latentDim
    self.hiddenDims = hiddenDims
    self.blockOutChannels = blockOutChannels
    self.layersPerBlock = layersPerBlock
    self.activation = activation
    self.likelihood = likelihood
  }

  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  ///
  /// Call it on every configuration that a person or a file supplied: the networks trust theirs.
  public var problem: String? {
    func outside(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
      range.contains(value)
        ? nil : "\(name) is \(value); it must lie in \(range.lowerBound)...\(range.upperBound)"
    }
    let widest = 65_536
    if let problem = outside("image_size", imageSize, 1...1024)
      ?? outside("channels", channels, 1...4)
      ?? outside("latent_dim", latentDim, 1...widest)
      ?? outside("layers_per_block", layersPerBlock, 0...16)
      ?? hiddenDims.lazy.compactMap({ outside("hidden_dims", $0, 1...widest) }).first
      ?? blockOutChannels.lazy.compactMap({ outside("block_out_channels", $0, 1...4096) }).first
    {
      return problem
    }
    guard hiddenDims.count <= 16 else { return "hidden_dims lists more than 16 layers" }
    if architecture == .conv {
      guard !blockOutChannels.isEmpty else {
        return "block_out_channels is empty; a conv network needs at least one level"
      }
      guard imageSize >> blockOutChannels.count >= 1 else {
        return "an image_size of \(imageSize) cannot be halved \(blockOutChannels.count) times; "
          + "list fewer block_out_channels or use larger pictures"
      }
    }
    // Memory that is not there would end the process.
    guard weightCount <= Self.mostWeights else {
      return "the network would have \(weightCount) weights, more than \(Self.mostWeights); "
        + "choose smaller hidden_dims, latent_dim, block_out_channels or pictures"
    }
    return nil
  }

  /// 4 GiB of float32.
  static let mostWeights = 1 << 30

  /// The number of weights of a network whose other numbers are in their ranges.
  var weightCount: Int {
    func linears(_ widths: [Int]) -> Int {
      zip(widths, widths.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
    }
    let outputs = kind == .variational ? 2 * latentDim : latentDim
    var count = likelihood.hasDeviation ? 1 : 0
    var ends = channels * imageSize * imageSize
    if architecture == .conv {
      let levels = [channels] + blockOutChannels
      for (above, below) in zip(levels, levels.dropFirst()) {
        count += 2 * 16 * above * below + above + below  // down and up
        count += 2 * layersPerBlock * 2 * (9 * below + 1) * below  // residual blocks of both
      }
      ends = levels.last! * sides.last! * sides.last!
    }
    return count + linears([ends] + hiddenDims + [outputs])
      + linears([latentDim] + hiddenDims.reversed() + [ends])
  }

  /// The sides of the picture on its way down: `[28, 14, 7]`.
  var sides: [Int] {
    blockOutChannels.indices.reduce(into: [imageSize]) { sides, _ in sides.append(sides.last! / 2) }
  }
}
