import Interchange
import NeuralNets

/// The shape of a KL autoencoder: the `config.json` that diffusers writes for `AutoencoderKL`.
///
/// A key that a file leaves out has diffusers' default; a key unknown here is kept and written back.
public struct AutoencoderKLConfig: Sendable, Equatable {
  /// The levels of the encoder.
  public enum DownBlock: String, Codable, Sendable, CaseIterable {
    /// Residual blocks.
    case plain = "DownEncoderBlock2D"
  }

  /// The levels of the decoder.
  public enum UpBlock: String, Codable, Sendable, CaseIterable {
    /// Residual blocks.
    case plain = "UpDecoderBlock2D"
  }

  /// Channels of the pictures that are encoded.
  public var inChannels = 3
  /// Channels of the pictures that are decoded.
  public var outChannels = 3
  /// The levels of the encoder, from the largest picture to the smallest.
  public var downBlockTypes = [DownBlock.plain]
  /// The levels of the decoder, from the smallest picture to the largest.
  public var upBlockTypes = [UpBlock.plain]
  /// Channels of every level.
  public var blockOutChannels = [64]
  /// Residual blocks of a level of the encoder; in the decoder there is one more.
  public var layersPerBlock = 1
  /// The nonlinearity of residual blocks.
  public var actFn = UNetConfig.Nonlinearity.silu
  /// Channels of a latent.
  public var latentChannels = 4
  /// Groups of every normalisation.
  public var normNumGroups = 32
  /// Height and width of the pictures that the network was made for; tiles are as large.
  public var sampleSize = PictureSize.square(32)
  /// What latents are multiplied by to have unit variance for a diffusion model (Rombach et al.
  /// 2022, appendix G).
  public var scalingFactor = 0.18215
  /// What is taken from latents before they are scaled.
  public var shiftFactor: Double?
  /// The mean of each latent channel over a training set.
  public var latentsMean: [Double]?
  /// The standard deviation of each latent channel over a training set.
  public var latentsStd: [Double]?
  /// Whether the network needs float32: its activations leave the range of float16.
  public var forceUpcast = true
  /// Whether a 1×1 convolution follows the encoder.
  public var useQuantConv = true
  /// Whether a 1×1 convolution stands before the decoder.
  public var usePostQuantConv = true
  /// Whether encoder and decoder have attention where the picture is smallest.
  public var midBlockAddAttention = true
  /// The keys of the file that are unknown here.
  public var otherKeys: JSONObject = [:]

  /// diffusers' defaults.
  public init() {}
}

extension AutoencoderKLConfig {
  /// How many pixels, in height and in width, become one latent.
  public var scale: Int { 1 << (blockOutChannels.count - 1) }

  /// Why the network cannot encode pictures of this size, as one sentence; `nil` when it can.
  public func problem(forHeight height: Int, width: Int) -> String? {
    for (name, side) in [("height", height), ("width", width)] where side < scale {
      return "a \(name) of \(side) is less than the \(scale) pixels that become one latent"
    }
    return nil
  }

  /// Channels that every residual block of a level of the decoder is given (0 is the smallest
  /// picture).
  func upInputs(_ level: Int) -> [Int] {
    let widths = Array(blockOutChannels.reversed())
    return (0...layersPerBlock).map { $0 == 0 ? widths[max(level - 1, 0)] : widths[level] }
  }
}

extension AutoencoderKLConfig: Codable {
  private static var keys: [ConfigKey<AutoencoderKLConfig>] {
    [
      .init("in_channels", \.inChannels),
      .init("out_channels", \.outChannels),
      .init("down_block_types", \.downBlockTypes),
      .init("up_block_types", \.upBlockTypes),
      .init("block_out_channels", \.blockOutChannels),
      .init("layers_per_block", \.layersPerBlock),
      .init("act_fn", \.actFn),
      .init("latent_channels", \.latentChannels),
      .init("norm_num_groups", \.normNumGroups),
      .init("sample_size", \.sampleSize),
      .init("scaling_factor", \.scalingFactor),
      .init("shift_factor", \.shiftFactor),
      .init("latents_mean", \.latentsMean),
      .init("latents_std", \.latentsStd),
      .init("force_upcast", \.forceUpcast),
      .init("use_quant_conv", \.useQuantConv),
      .init("use_post_quant_conv", \.usePostQuantConv),
      .init("mid_block_add_attention", \.midBlockAddAttention),
    ]
  }

  /// The class of diffusers that the configuration belongs to.
  public static let className = "AutoencoderKL"

  /// Reads a file's keys over the defaults; throws for a key of another type, an unknown choice, or
  /// the configuration of another class.
  public init(from decoder: any Decoder) throws {
    self.init()
    otherKeys = try ConfigKey.read(Self.keys, of: Self.className, into: &self, from: decoder)
  }

  /// Writes every key, the unknown ones last.
  public func encode(to encoder: any Encoder) throws {
    try ConfigKey.write(Self.keys, of: Self.className, self, others: otherKeys, to: encoder)
  }
}
