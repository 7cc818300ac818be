/// The shape of a generator or of a discriminator: the `config.json` beside its weights.
public struct GANConfig: Codable, Sendable, Equatable {
  /// Which of the two players.
  public enum Kind: String, Codable, Sendable {
    /// From codes to samples.
    case generator = "gan-generator"
    /// From samples to scores.
    case discriminator = "gan-discriminator"
  }

  /// Which layers the network is made of.
  public enum Architecture: String, Codable, Sendable, CaseIterable {
    /// Fully connected layers.
    case mlp
    /// Strided convolutions and batch normalisation (Radford et al. 2016).
    case dcgan
    /// Residual blocks (Miyato et al. 2018, appendix B.4).
    case sngan
    /// Residual blocks without normalisation (Huang et al. 2024).
    case r3gan
    /// A discriminator of overlapping patches (Isola et al. 2017).
    case patch
  }

  /// Which of the two players.
  public var kind: Kind
  /// Which layers the network is made of.
  public var architecture: Architecture
  /// Pixels along each side; 0 for points in the plane.
  public var imageSize: Int
  /// 1 for grey, 3 for colour, 2 for points.
  public var channels: Int
  /// Numbers in a code.
  public var latentDim: Int
  /// Widths of the layers of an `mlp`.
  public var hiddenDims: [Int]
  /// Channels of each level, from the full picture down; every level but the last halves it.
  public var blockOutChannels: [Int]
  /// Residual blocks a level, of `r3gan`.
  public var layersPerBlock: Int
  /// Channels of a group of `r3gan`'s 3×3 convolutions; 0: not grouped.
  public var groupSize: Int
  /// Pixels along each side of a place of `r3gan`'s first level: 2 folds four pixels into the
  /// channels of one place, a quarter of the work at the largest level.
  public var patchSize: Int
  /// Classes that the network is told; 0 for none.
  public var classCount: Int
  /// Whether a discriminator's weights are divided by their largest singular value.
  public var spectralNorm: Bool
  /// Whether a `dcgan` or `patch` discriminator has batch normalisation.
  public var discriminatorNorm: Bool

  enum CodingKeys: String, CodingKey {
    case kind = "_class_name"
    case architecture
    case imageSize = "image_size"
    case channels
    case latentDim = "latent_dim"
    case hiddenDims = "hidden_dims"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case groupSize = "group_size"
    case patchSize = "patch_size"
    case classCount = "class_count"
    case spectralNorm = "spectral_norm"
    case discriminatorNorm = "discriminator_norm"
  }

  /// All fields.
  public init(
    kind: Kind, architecture: Architecture, imageSize: Int, channels: Int, latentDim: Int,
    hiddenDims: [Int] = [128, 128, 128], blockOutChannels: [Int] = [64, 128, 256],
    layersPerBlock: Int = 1, groupSize: Int = 0, patchSize: Int = 1, classCount: Int = 0,
    spectralNorm: Bool = false, discriminatorNorm: Bool = true
  ) {
    self.kind = kind
    self.architecture = architecture
    self.imageSize = imageSize
    self.channels = channels
    self.latentDim = latentDim
    self.hiddenDims = hiddenDims
    self.blockOutChannels = blockOutChannels
    self.layersPerBlock = layersPerBlock
    self.groupSize = groupSize
    self.patchSize = patchSize
    self.classCount = classCount
    self.spectralNorm = spectralNorm
    self.discriminatorNorm = discriminatorNorm
  }

  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  public var problem: String? {
    func outside(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
      range.contains(value)
        ? nil : "\(name) is \(value); it must lie in \(range.lowerBound)...\(range.upperBound)"
    }
    let ranges: [(name: String, values: [Int], range: ClosedRange<Int>)] = [
      ("image_size", [imageSize], 0...1024), ("channels", [channels], 1...4),
      ("latent_dim", [latentDim], 1...4096), ("layers_per_block", [layersPerBlock], 1...16),
      ("group_size", [groupSize], 0...4096), ("patch_size", [patchSize], 1...16),
      ("class_count", [classCount], 0...10_000),
      ("hidden_dims", hiddenDims, 1...8192), ("block_out_channels", blockOutChannels, 1...2048),
    ]
    for (name, values, range) in ranges {
      for value in values {
        if let problem = outside(name, value, range) { return problem }
      }
    }
    guard hiddenDims.count <= 16 else { return "hidden_dims lists more than 16 layers" }
    if architecture == .patch {
      guard kind == .discriminator else {
        return "patch is an architecture of discriminators alone"
      }
      guard classCount == 0 else { return "a discriminator of patches is told no classes" }
    }
    guard !spectralNorm || ![.r3gan, .patch].contains(architecture) else {
      return "spectral_norm is for mlp, dcgan and sngan; \(architecture.rawValue) has none"
    }
    if architecture == .mlp {
      return hiddenDims.isEmpty ? "hidden_dims is empty; an mlp needs a layer" : tooLarge
    }
    guard imageSize > 0 else {
      return "points in the plane have no neighbours to convolve; their architecture is mlp"
    }
    guard (2...10).contains(blockOutChannels.count) else {
      return "block_out_channels lists \(blockOutChannels.count) levels; there are 2 to 10"
    }
    let halvings = blockOutChannels.count - 1
    guard imageSize % (patch << halvings) == 0, baseSize >= 2 else {
      return "an image_size of \(imageSize) cannot be halved \(halvings) times down to whole "
        + (patch == 1 ? "pixels" : "patches of \(patch) pixels")
        + "; list fewer block_out_channels or pass another --image-size"
    }
    guard architecture != .patch || baseSize >= 3 else {
      return "an image_size of \(imageSize) leaves \(baseSize) pixels at the smallest level, and "
        + "patches need 3; list fewer levels"
    }
    if architecture == .r3gan, groupSize > 0,
      let width = blockOutChannels.first(where: { 2 * $0 % groupSize != 0 })
    {
      return "group_size \(groupSize) does not divide \(2 * width), twice the width \(width) of a "
        + "level"
    }
    return tooLarge
  }

  /// What is wrong with the size of the network; memory that is not there would end the process.
  private var tooLarge: String? {
    let most = 1 << 30  // 4 GiB of float32
    guard weightCount > most else { return nil }
    return "the network would have \(weightCount) weights, more than \(most); choose smaller "
      + "hidden_dims, block_out_channels, latent_dim or pictures"
  }

  /// The number of weights, a little more than there are, of numbers in their ranges.
  var weightCount: Int {
    let side = max(imageSize, 1)
    let told = classCount > 0 ? 2 : 1
    if architecture == .mlp {
      let widths = [told * latentDim] + hiddenDims + [channels * side * side]
      return zip(widths, widths.dropFirst()).reduce(classCount * (latentDim + hiddenDims.last!)) {
        $0 + ($1.0 + 1) * $1.1
      }
    }
    let base = blockOutChannels.last! * baseSize * baseSize
    let ends = base * (told * latentDim + 1) + classCount * (base + latentDim)
    let widths = [channels * patch * patch] + blockOutChannels
    return zip(widths, widths.dropFirst()).reduce(ends) { sum, ends in
      let (above, below) = ends
      let inner = groupSize > 0 ? groupSize : 2 * below
      let residual = layersPerBlock * (4 * below * below + 18 * below * inner + 4 * below)
      return sum + 16 * above * below + (architecture == .r3gan ? residual : 19 * below * below)
        + 2 * classCount * below
    }
  }

  /// Pixels along each side of a place of the first level; only `r3gan` folds them.
  private var patch: Int { architecture == .r3gan ? patchSize : 1 }

  /// Places along each side of the deepest level.
  var baseSize: Int { (imageSize / patch) >> (blockOutChannels.count - 1) }
}
