/// The shape of a classifier: the `config.json` beside its weights.
public struct ClassifierConfig: Codable, Sendable, Equatable {
  /// The network's kind.
  public enum Kind: String, Codable, Sendable {
    /// A residual convolutional network.
    case residual = "classifier"
  }

  /// The network's kind.
  public var kind = Kind.residual
  /// Pixels along each side.
  public var imageSize: Int
  /// 1 for grey, 3 for colour.
  public var channels: Int
  /// The classes' names, in the order of the logits.
  public var classNames: [String]
  /// Channels of each level, from the full picture down; every level but the first halves it.
  public var blockOutChannels: [Int]

  enum CodingKeys: String, CodingKey {
    case kind = "_class_name"
    case imageSize = "image_size"
    case channels
    case classNames = "class_names"
    case blockOutChannels = "block_out_channels"
  }

  /// All fields.
  public init(imageSize: Int, channels: Int, classNames: [String], blockOutChannels: [Int]) {
    self.imageSize = imageSize
    self.channels = channels
    self.classNames = classNames
    self.blockOutChannels = blockOutChannels
  }

  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  public var problem: String? {
    guard (1...1024).contains(imageSize) else {
      return "image_size is \(imageSize); it must lie in 1...1024"
    }
    guard (1...4).contains(channels) else {
      return "channels is \(channels); it must lie in 1...4"
    }
    guard (2...10_000).contains(classNames.count) else {
      return "class_names lists \(classNames.count); a classifier tells 2 to 10000 classes apart"
    }
    guard (1...10).contains(blockOutChannels.count) else {
      return "block_out_channels lists \(blockOutChannels.count) levels; there are 1 to 10"
    }
    if let width = blockOutChannels.first(where: { !(1...4096).contains($0) }) {
      return "block_out_channels holds \(width); it must lie in 1...4096"
    }
    guard imageSize >> (blockOutChannels.count - 1) >= 1 else {
      return "an image_size of \(imageSize) cannot be halved \(blockOutChannels.count - 1) times; "
        + "list fewer block_out_channels or use larger pictures"
    }
    return nil
  }

  /// Numbers in a feature vector.
  public var featureCount: Int { blockOutChannels.last ?? 0 }
}
