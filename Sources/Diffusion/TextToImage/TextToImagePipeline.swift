import Models
import NeuralNets
import Tokenizers
import Torch

/// A tokenizer and the text encoder that takes its ids.
public struct PromptEncoder {
  /// From text to ids.
  public let tokenizer: CLIPTokenizer
  /// From ids to states.
  public let model: CLIPTextModel

  /// Both parts, which `CLIPTextConfig.problem(forVocabulary:windowLength:)` finds to fit.
  public init(tokenizer: CLIPTokenizer, model: CLIPTextModel) {
    self.tokenizer = tokenizer
    self.model = model
  }
}

/// A latent diffusion model that a prompt guides (Rombach et al. 2022; XL: Podell et al. 2023), from
/// text, and pictures where wanted, to pictures: what diffusers draws with `StableDiffusionPipeline`,
/// `StableDiffusionXLPipeline` and their image-to-image and inpainting forms.
///
/// Limitations: one prompt for both encoders of XL; no refiner, control network, adapter, safety
/// checker or watermark.
public final class TextToImagePipeline {
  /// What the U-Net is told of a prompt.
  public enum Kind: Sendable {
    /// Stable Diffusion 1 and 2: the normalised states of one text encoder.
    case stableDiffusion
    /// Stable Diffusion XL: the states before the last layer of two, one pooled state, and sizes.
    case stableDiffusionXL

    /// The class of diffusers that draws with it.
    public var className: String {
      switch self {
      case .stableDiffusion: "StableDiffusionPipeline"
      case .stableDiffusionXL: "StableDiffusionXLPipeline"
      }
    }
  }

  /// What the U-Net is told of a prompt.
  public let kind: Kind
  /// The network that takes noise away.
  public let unet: UNet2DCondition
  /// Between pictures and latents.
  public let autoencoder: AutoencoderKL
  /// One text encoder, or the two of XL.
  public let encoders: [PromptEncoder]
  /// The process that the U-Net was trained for, and the sampler that the folder names.
  public let scheduler: SchedulerFile
  /// Whether XL takes zeros where no negative prompt is given, instead of the states of no text.
  public let forcesZerosForEmptyPrompt: Bool
  /// What was found in the folder that does nothing here, a sentence each.
  public let notes: [String]
  /// Whether text encoders give their weights up, on a CPU, once a request's prompts are encoded; another
  /// request is a mistake of the program then.
  public var drawsOnce = false
  /// What `preview(of:)` needs; measured when it is first asked.
  lazy var latentColours = measuredColours()

  /// A pipeline of parts in which `problem(_:unet:autoencoder:encoders:)` finds nothing.
  public init(
    _ kind: Kind, unet: UNet2DCondition, autoencoder: AutoencoderKL, encoders: [PromptEncoder],
    scheduler: SchedulerFile, forcesZerosForEmptyPrompt: Bool = true, notes: [String] = []
  ) {
    let problem = Self.problem(
      kind, unet: unet.config, autoencoder: autoencoder.config, encoders: encoders)
    precondition(problem == nil, problem ?? "")
    self.kind = kind
    self.unet = unet
    self.autoencoder = autoencoder
    self.encoders = encoders
    self.scheduler = scheduler
    self.forcesZerosForEmptyPrompt = forcesZerosForEmptyPrompt
    self.notes = notes
  }

  /// The networks, the largest first.
  var networks: [Module] { [unet, autoencoder] + encoders.map(\.model) }

  /// Moves all networks to a device, and their weights to a type, in which they then compute.
  public func move(to device: Device, dtype: DType? = nil) {
    for network in networks { network.move(to: device, dtype: dtype) }
  }

  /// Lets all networks lay out their weights for the processor when they are first used, as
  /// `Module.packForInference` says.
  public func packForInference(freeingWeights: Bool = false) {
    for network in networks { network.packForInference(freeingWeights: freeingWeights) }
  }

  /// Where the U-Net is, and with it the others.
  var device: Device { unet.parameters[0].device }

  /// Channels of the latents.
  var latentChannels: Int { autoencoder.config.latentChannels }

  /// Whether the U-Net sees a mask and the masked picture beside the latents.
  public var isForInpainting: Bool { unet.config.inChannels == 2 * latentChannels + 1 }

  /// Height and width of pictures where none are asked for; `nil` where the U-Net names none.
  public var usualSize: Extent? {
    unet.config.sampleSize?.extents.map {
      Extent($0.height * autoencoder.config.scale, $0.width * autoencoder.config.scale)
    }
  }
}

// MARK: - Parts that fit

extension TextToImagePipeline {
  /// Why these parts do not belong together, as one sentence; `nil` when they do.
  public static func problem(
    _ kind: Kind, unet: UNetConditionConfig, autoencoder: AutoencoderKLConfig,
    encoders: [PromptEncoder]
  ) -> String? {
    pictureProblem(unet, autoencoder) ?? promptProblem(kind, unet, encoders)
  }

  private static func pictureProblem(
    _ unet: UNetConditionConfig, _ autoencoder: AutoencoderKLConfig
  ) -> String? {
    let (taken, latents) = (unet.inChannels, autoencoder.latentChannels)
    guard [latents, 2 * latents + 1].contains(taken) else {
      return "the unet's in_channels is \(taken), but latents of this vae have \(latents) "
        + "channels; \(latents), or \(2 * latents + 1) with a mask and a masked picture, can be used "
        + "here"
    }
    guard [latents, 2 * latents].contains(unet.outChannels) else {
      return "the unet's out_channels is \(unet.outChannels), but latents of this vae have "
        + "\(latents) channels"
    }
    guard autoencoder.inChannels == 3, autoencoder.outChannels == 3 else {
      return "the vae's pictures have \(autoencoder.inChannels) and \(autoencoder.outChannels) "
        + "channels, but 3 are needed"
    }
    return unet.hasClasses
      ? "the unet has classes besides prompts, which nothing tells it here" : nil
  }

  private static func promptProblem(
    _ kind: Kind, _ unet: UNetConditionConfig, _ encoders: [PromptEncoder]
  ) -> String? {
    guard encoders.count == (kind == .stableDiffusion ? 1 : 2) else {
      return "\(kind.className) has \(encoders.count) text encoders here, which are too "
        + (encoders.isEmpty || kind == .stableDiffusionXL ? "few" : "many")
    }
    for encoder in encoders {
      let problem = encoder.model.config.problem(
        forVocabulary: encoder.tokenizer.vocabularySize,
        windowLength: encoder.tokenizer.windowLength)
      if let problem { return problem }
    }
    guard Set(encoders.map(\.tokenizer.windowLength)).count == 1 else {
      return "the windows of the two tokenizers differ: "
        + encoders.map { "\($0.tokenizer.windowLength)" }.joined(separator: " and ") + " ids"
    }
    let width = encoders.reduce(0) { $0 + $1.model.config.hiddenSize }
    for level in unet.blockOutChannels.indices where unet.crossAttentionDim[level] != width {
      return "the unet's cross_attention_dim is \(unet.crossAttentionDim[level]), but the prompt's "
        + "states are \(width) wide; take unet and text encoder from the same place"
    }
    guard (unet.additionEmbedType == .textTime) == (kind == .stableDiffusionXL) else {
      return kind == .stableDiffusion
        ? "the unet is one of Stable Diffusion XL (addition_embed_type \"text_time\"), but the "
          + "pipeline is \(kind.className)"
        : "the unet's addition_embed_type is not \"text_time\", which \(kind.className) needs"
    }
    guard kind == .stableDiffusionXL else { return nil }
    guard let pooled = encoders[1].model.config.pooledWidth else {
      return "the second text encoder has no projection; \(kind.className) needs a "
        + CLIPTextConfig.Architecture.projecting.rawValue
    }
    let given = pooled + 6 * (unet.additionTimeEmbedDim ?? 0)
    let wanted = unet.projectionClassEmbeddingsInputDim ?? 0
    return given == wanted
      ? nil
      : "the unet's projection_class_embeddings_input_dim is \(wanted), but a pooled state of "
        + "\(pooled) and six sizes make \(given)"
  }
}

extension CLIPTextConfig {
  /// Width of the projected pooled state; `nil` for an encoder without one.
  fileprivate var pooledWidth: Int? { architecture == .projecting ? projectionDim : nil }
}
