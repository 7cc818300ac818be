import Interchange
import NeuralNets

/// The shape of a U-Net that a prompt guides: the `config.json` that diffusers writes for
/// `UNet2DConditionModel`.
///
/// A key that a file leaves out has diffusers' default; a key unknown here is kept and written back.
/// Settings of other networks than Stable Diffusion's are refused where they would change the result.
public struct UNetConditionConfig: Sendable, Equatable {
  /// What a class label is, where it is no index into a table.
  public enum ClassEmbedding: String, Codable, Sendable, CaseIterable {
    /// A number embedded as timesteps are.
    case timestep
    /// A vector as wide as the time embedding, used as it is.
    case identity
    /// A vector, through two linear layers.
    case projection
    /// A vector, through one linear layer.
    case simpleProjection = "simple_projection"
  }

  /// What is added to the time embedding besides classes.
  public enum AdditionEmbedding: String, Codable, Sendable, CaseIterable {
    /// A pooled text state and sizes in pixels: Stable Diffusion XL.
    case textTime = "text_time"
  }

  /// The levels on the way down.
  public enum DownBlock: String, Codable, Sendable, CaseIterable {
    /// Residual blocks.
    case plain = "DownBlock2D"
    /// Residual blocks, each followed by a transformer.
    case cross = "CrossAttnDownBlock2D"
  }

  /// The levels on the way up.
  public enum UpBlock: String, Codable, Sendable, CaseIterable {
    /// Residual blocks.
    case plain = "UpBlock2D"
    /// Residual blocks, each followed by a transformer.
    case cross = "CrossAttnUpBlock2D"
  }

  /// What lies between the ways down and up.
  public enum MidBlock: String, Codable, Sendable, CaseIterable {
    /// One residual block.
    case plain = "UNetMidBlock2D"
    /// A transformer between two residual blocks.
    case cross = "UNetMidBlock2DCrossAttn"
  }

  /// How a timestep becomes a vector.
  public enum TimeEmbedding: String, Codable, Sendable, CaseIterable {
    /// Sines and cosines of fixed frequencies.
    case positional
  }

  /// Height and width of the latents that the network was made for.
  public var sampleSize: PictureSize?
  /// Channels of the input: 4, or 9 where a mask and the masked picture stand beside the latents.
  public var inChannels = 4
  /// Channels of the output.
  public var outChannels = 4
  /// Whether the input is moved from [0, 1] to [−1, 1].
  public var centerInputSample = false
  /// Whether cosines come before sines in the time embedding.
  public var flipSinToCos = true
  /// What is taken from the number of frequencies in their exponent.
  public var freqShift = 0
  /// The levels on the way down, from the largest picture to the smallest.
  public var downBlockTypes = [DownBlock.cross, .cross, .cross, .plain]
  /// What lies at the bottom; `nil`: nothing.
  public var midBlockType: MidBlock? = .cross
  /// The levels on the way up, from the smallest picture to the largest.
  public var upBlockTypes = [UpBlock.plain, .cross, .cross, .cross]
  /// Whether pixels look at the prompt where they would look at themselves, level by level down.
  public var onlyCrossAttention = OneOrMany.one(false)
  /// Channels of every level.
  public var blockOutChannels = [320, 640, 1280, 1280]
  /// Residual blocks of a level on the way down; on the way up there is one more.
  public var layersPerBlock = OneOrMany.one(2)
  /// 1: the halving convolution pads all around; 0: at the right and at the bottom only.
  public var downsamplePadding = 1
  /// What the outputs in the mid block are divided by.
  public var midBlockScaleFactor = 1.0
  /// The chance of an element of a residual block to be dropped in training.
  public var dropout = 0.0
  /// The nonlinearity of residual blocks and of the time embedding.
  public var actFn = UNetConfig.Nonlinearity.silu
  /// Groups of every normalisation of pictures.
  public var normNumGroups = 32
  /// Added to the variance in normalisations.
  public var normEps = 1e-5
  /// Width of the prompt's states.
  public var crossAttentionDim = OneOrMany.one(1280)
  /// Blocks of a transformer: one number, one a level, or lists of one a residual block.
  public var transformerLayersPerBlock = OneOrMany.one(OneOrMany.one(1))
  /// The same on the way up, from the smallest picture; `nil`: the way down reversed.
  public var reverseTransformerLayersPerBlock: OneOrMany<OneOrMany<Int>>?
  /// The number of attention heads, whatever the key's name says (diffusers' issue 2011).
  public var attentionHeadDim = OneOrMany.one(8)
  /// Whether transformers project by linear layers instead of 1×1 convolutions.
  public var useLinearProjection = false
  /// What a class label is; `nil` with `numClassEmbeds`: an index into a table.
  public var classEmbedType: ClassEmbedding?
  /// What is added to the time embedding besides classes.
  public var additionEmbedType: AdditionEmbedding?
  /// Width of the embedding of each size in pixels.
  public var additionTimeEmbedDim: Int?
  /// Rows of the table of classes.
  public var numClassEmbeds: Int?
  /// Whether attention must be computed in float32: libtorch's kernels keep scores and sums in
  /// float32 whatever the tensors' type, so that this changes nothing.
  public var upcastAttention: Bool? = false
  /// How residual blocks take the time embedding in.
  public var resnetTimeScaleShift = UNetConfig.TimeConditioning.shift
  /// How a timestep becomes a vector.
  public var timeEmbeddingType = TimeEmbedding.positional
  /// Width of the time embedding; `nil`: four times the first level's channels.
  public var timeEmbeddingDim: Int?
  /// Width of a vector that moves the time embedding: the embedded guidance scale of a latent
  /// consistency model.
  public var timeCondProjDim: Int?
  /// Side of the first convolution's kernel, odd.
  public var convInKernel = 3
  /// Side of the last convolution's kernel, odd.
  public var convOutKernel = 3
  /// Width of a class label that is projected, or of pooled state and embedded sizes together.
  public var projectionClassEmbeddingsInputDim: Int?
  /// The keys of the file that are unknown here.
  public var otherKeys: JSONObject = [:]

  /// diffusers' defaults.
  public init() {}
}

// MARK: - What follows from the keys

extension UNetConditionConfig {
  /// Width of the time embedding.
  var timeWidth: Int {
    if let timeEmbeddingDim, timeEmbeddingDim != 0 { return timeEmbeddingDim }
    return 4 * (blockOutChannels.first ?? 0)
  }

  /// Whether the network must be told classes.
  public var hasClasses: Bool { classEmbedType != nil || numClassEmbeds != nil }

  /// Why the network cannot take latents of this size, as one sentence; `nil` when it can: sides
  /// need not be multiples of anything.
  public func problem(forHeight height: Int, width: Int) -> String? {
    let least = downsamplePadding == 1 ? 1 : 1 << (blockOutChannels.count - 1)
    for (name, side) in [("height", height), ("width", width)] where side < least {
      return "a \(name) of \(side) is too small for a network of \(blockOutChannels.count) levels; "
        + "it must be at least \(least)"
    }
    return nil
  }

  /// What counts levels from the smallest picture in place of the largest.
  func mirrored(_ level: Int) -> Int { blockOutChannels.count - 1 - level }

  /// Channels that come from below and over the bridge into every residual block of a level on the
  /// way up (0 is the smallest picture).
  func upInputs(_ level: Int) -> [Int] {
    let widths = Array(blockOutChannels.reversed())
    let last = layersPerBlock[mirrored(level)]
    return (0...last).map { layer in
      let below = layer == 0 ? widths[max(level - 1, 0)] : widths[level]
      return below + (layer == last ? widths[min(level + 1, widths.count - 1)] : widths[level])
    }
  }

  /// Blocks of the transformer behind a residual block on the way up.
  func upTransformerLayers(_ level: Int, layer: Int) -> Int {
    let layers =
      reverseTransformerLayersPerBlock?[level] ?? transformerLayersPerBlock[mirrored(level)]
    return layers[layer]
  }
}
