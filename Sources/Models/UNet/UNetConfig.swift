import Interchange
import NeuralNets

/// The shape of a U-Net over pictures: the `config.json` that diffusers writes for `UNet2DModel`.
///
/// A key that a file leaves out has diffusers' default; a key unknown here is kept and written back.
public struct UNetConfig: Sendable, Equatable {
  /// How a timestep becomes a vector.
  public enum TimeEmbedding: String, Codable, Sendable, CaseIterable {
    /// Sines and cosines of fixed frequencies.
    case positional
    /// Sines and cosines of log t at random frequencies.
    case fourier
    /// A table, one row a timestep.
    case learned
  }

  /// What a class label is, where it is no index into a table.
  public enum ClassEmbedding: String, Codable, Sendable, CaseIterable {
    /// A number embedded as timesteps are.
    case timestep
    /// A vector as wide as the time embedding, used as it is.
    case identity
  }

  /// How a residual block takes the time embedding in.
  public enum TimeConditioning: String, Codable, Sendable, CaseIterable {
    /// Added before the second normalisation.
    case shift = "default"
    /// Scales and shifts what the second normalisation gives.
    case scaleShift = "scale_shift"
  }

  /// What changes the resolution in a level with attention.
  public enum Resampling: String, Codable, Sendable, CaseIterable {
    /// A convolution.
    case conv
    /// A residual block.
    case resnet
  }

  /// The levels on the way down.
  public enum DownBlock: String, Codable, Sendable, CaseIterable {
    /// Residual blocks.
    case plain = "DownBlock2D"
    /// Residual blocks, each followed by attention.
    case attention = "AttnDownBlock2D"
    /// Residual blocks, and one that halves the resolution.
    case resnet = "ResnetDownsampleBlock2D"
  }

  /// The levels on the way up.
  public enum UpBlock: String, Codable, Sendable, CaseIterable {
    /// Residual blocks.
    case plain = "UpBlock2D"
    /// Residual blocks, each followed by attention.
    case attention = "AttnUpBlock2D"
    /// Residual blocks, and one that doubles the resolution.
    case resnet = "ResnetUpsampleBlock2D"
  }

  /// What lies between the ways down and up.
  public enum MidBlock: String, Codable, Sendable, CaseIterable {
    /// Attention between two residual blocks.
    case attention = "UNetMidBlock2D"
  }

  /// The nonlinearities that residual blocks may have, by diffusers' names.
  public enum Nonlinearity: String, Codable, Sendable, CaseIterable {
    /// x · sigmoid(x).
    case silu
    /// The same by its older name.
    case swish
    /// x · tanh(softplus(x)).
    case mish
    /// x · Φ(x).
    case gelu
    /// max(x, 0).
    case relu

    var activation: Activation.Kind {
      switch self {
      case .silu, .swish: .silu
      case .mish: .mish
      case .gelu: .gelu
      case .relu: .relu
      }
    }
  }

  /// Height and width of the pictures that the network was made for.
  public var sampleSize: PictureSize?
  /// Channels of the input.
  public var inChannels = 3
  /// Channels of the output.
  public var outChannels = 3
  /// Whether the input is moved from [0, 1] to [−1, 1].
  public var centerInputSample = false
  /// How a timestep becomes a vector.
  public var timeEmbeddingType = TimeEmbedding.positional
  /// Width of the time embedding; `nil`: four times the first level's channels.
  public var timeEmbeddingDim: Int?
  /// Positional: what is taken from the number of frequencies in their exponent.
  public var freqShift = 0
  /// Positional: whether cosines come before sines.
  public var flipSinToCos = true
  /// The levels on the way down, from the largest picture to the smallest.
  public var downBlockTypes = [DownBlock.plain, .attention, .attention, .attention]
  /// What lies at the bottom; `nil`: nothing.
  public var midBlockType: MidBlock? = .attention
  /// The levels on the way up, from the smallest picture to the largest.
  public var upBlockTypes = [UpBlock.attention, .attention, .attention, .plain]
  /// Channels of every level.
  public var blockOutChannels = [224, 448, 672, 896]
  /// Residual blocks of a level on the way down; on the way up there is one more.
  public var layersPerBlock = 2
  /// What the outputs in the mid block are divided by.
  public var midBlockScaleFactor = 1.0
  /// 1: the halving convolution pads all around; 0: at the right and at the bottom only.
  public var downsamplePadding = 1
  /// What halves the resolution in a level with attention.
  public var downsampleType = Resampling.conv
  /// What doubles the resolution in a level with attention.
  public var upsampleType = Resampling.conv
  /// The chance of an element of a residual block to be dropped in training.
  public var dropout = 0.0
  /// The nonlinearity of residual blocks.
  public var actFn = Nonlinearity.silu
  /// Channels of an attention head; `nil`: one head.
  public var attentionHeadDim: Int? = 8
  /// Groups of every normalisation.
  public var normNumGroups = 32
  /// Groups of the normalisation before the mid block's attention; `nil`: `normNumGroups`, or no
  /// normalisation with `scale_shift`.
  public var attnNormNumGroups: Int?
  /// Added to the variance in normalisations.
  public var normEps = 1e-5
  /// How residual blocks take the time embedding in.
  public var resnetTimeScaleShift = TimeConditioning.shift
  /// Whether the mid block has attention.
  public var addAttention = true
  /// What a class label is; `nil` with `numClassEmbeds`: an index into a table.
  public var classEmbedType: ClassEmbedding?
  /// Rows of the table of classes.
  public var numClassEmbeds: Int?
  /// Rows of the table of learned timesteps.
  public var numTrainTimesteps: Int?
  /// The keys of the file that are unknown here.
  public var otherKeys: JSONObject = [:]

  /// diffusers' defaults.
  public init() {}
}

/// The `sample_size` of a configuration: one number for squares, `[height, width]` otherwise.
public enum PictureSize: Codable, Sendable, Equatable {
  /// As high as wide.
  case square(Int)
  /// Height and width.
  case sides([Int])

  /// Reads a number or a list of numbers.
  public init(from decoder: any Decoder) throws {
    let json = try JSON(from: decoder)
    if json.array != nil {
      self = .sides(try [Int](from: decoder))
    } else {
      self = .square(try decoder.singleValueContainer().decode(Int.self))
    }
  }

  /// Writes what was read.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .square(let side): try side.encode(to: encoder)
    case .sides(let sides): try sides.encode(to: encoder)
    }
  }

  /// The height and the width; `nil` for a list that does not hold two numbers.
  public var extents: (height: Int, width: Int)? {
    switch self {
    case .square(let side): (side, side)
    case .sides(let sides): sides.count == 2 ? (sides[0], sides[1]) : nil
    }
  }
}

// MARK: - What follows from the keys

extension UNetConfig {
  /// Width of the time embedding.
  var timeWidth: Int {
    if let timeEmbeddingDim, timeEmbeddingDim != 0 { return timeEmbeddingDim }
    return 4 * (blockOutChannels.first ?? 0)
  }

  /// Width of the vector that the time embedding is made from.
  var timeProjectionWidth: Int {
    (timeEmbeddingType == .fourier ? 2 : 1) * (blockOutChannels.first ?? 0)
  }

  /// Whether the network must be told classes.
  public var hasClasses: Bool { classEmbedType != nil || numClassEmbeds != nil }

  /// Heights and widths must be multiples of this: every level but the last halves the picture.
  public var sizeMultiple: Int { 1 << (blockOutChannels.count - 1) }

  /// Why the network cannot take pictures of this size, as one sentence; `nil` when it can.
  public func problem(forHeight height: Int, width: Int) -> String? {
    for (name, side) in [("height", height), ("width", width)] {
      guard side > 0, side.isMultiple(of: sizeMultiple) else {
        return "a \(name) of \(side) does not fit a network of \(blockOutChannels.count) levels; "
          + "it must be a multiple of \(sizeMultiple)"
      }
    }
    return nil
  }

  /// Channels that come from below and over the bridge into every residual block of a level on the
  /// way up (0 is the smallest picture).
  func upInputs(_ level: Int) -> [(below: Int, skip: Int)] {
    let widths = Array(blockOutChannels.reversed())
    return (0...layersPerBlock).map { layer in
      (
        below: layer == 0 ? widths[max(level - 1, 0)] : widths[level],
        skip: layer == layersPerBlock
          ? widths[min(level + 1, widths.count - 1)] : widths[level]
      )
    }
  }

  /// What halves the resolution behind a level on the way down; `nil` behind the last.
  func downsampling(_ level: Int) -> Resampling? {
    guard level < downBlockTypes.count - 1 else { return nil }
    return switch downBlockTypes[level] {
    case .plain: .conv
    case .attention: downsampleType
    case .resnet: .resnet
    }
  }

  /// What doubles the resolution behind a level on the way up; `nil` behind the last.
  func upsampling(_ level: Int) -> Resampling? {
    guard level < upBlockTypes.count - 1 else { return nil }
    return switch upBlockTypes[level] {
    case .plain: .conv
    case .attention: upsampleType
    case .resnet: .resnet
    }
  }
}
