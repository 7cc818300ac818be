import Interchange
import NeuralNets
import Torch

/// One safetensors file with the key names of the original release of Stable Diffusion (1.x, 2.x and
/// XL): a whole model, or a U-Net or an autoencoder alone.
///
/// Such a file holds no configurations: they are told from names and shapes, and what these do not
/// show is as in the release, which is also what diffusers' `from_single_file` takes. Not in the file
/// are the tokenizer (a folder with `vocab.json` and `merges.txt` is needed beside it) and the noise
/// schedule. Averaged weights under `model_ema` are left alone, as in diffusers.
///
/// Limitation: weights show neither prediction type nor picture size. Stable Diffusion 2.x is taken
/// for the model of 768 pixels that predicts velocities, except for a file whose `global_step` is that
/// of the base model, and for inpainting.
public struct SingleFileCheckpoint: Sendable {
  /// The releases, which differ in what a U-Net is told.
  public enum Family: Sendable, Equatable {
    /// Stable Diffusion 1.x: one text encoder, CLIP's.
    case stableDiffusion1
    /// Stable Diffusion 2.x: one text encoder, OpenCLIP's.
    case stableDiffusion2
    /// Stable Diffusion XL: both, and sizes in pixels.
    case stableDiffusionXL
    /// The refiner of XL: OpenCLIP's encoder alone.
    case stableDiffusionXLRefiner
  }

  /// Where the file lies.
  public let path: String
  /// The release that the file's names belong to.
  public let family: Family
  /// The U-Net's shape; `nil` where the file holds none.
  public let unetConfig: UNetConditionConfig?
  /// The autoencoder's shape; `nil` where the file holds none.
  public let autoencoderConfig: AutoencoderKLConfig?
  /// The text encoders' shapes, in the order of the pipeline's.
  public let textConfigs: [CLIPTextConfig]
  /// Whether the U-Net predicts velocities rather than noise.
  public let predictsVelocity: Bool
  private let unetPart: SingleFilePart?
  private let autoencoderPart: SingleFilePart?
  private let textParts: [SingleFilePart]

  /// Opens a file and finds out what it holds; reads no weights yet.
  ///
  /// Throws `SafetensorsError` for a damaged file, a pickle, a file of other networks, or shapes that
  /// no network here can have.
  public init(path: String) throws {
    self.path = path
    let file = try Weights.file(path)
    let texts = SingleFilePart.texts(in: file)
    let pooledWidth = texts.compactMap { $0.config.architecture == .projecting ? $0.config : nil }
      .first?.projectionDim
    unetPart = SingleFilePart.unet(in: file)
    autoencoderPart = SingleFilePart.autoencoder(in: file)
    textParts = texts.map(\.part)
    var unet = unetPart.flatMap { UNetConditionConfig(ldm: $0.shapes, pooledWidth: pooledWidth) }
    var autoencoder = autoencoderPart.flatMap { AutoencoderKLConfig(ldm: $0.shapes) }
    guard unet != nil || autoencoder != nil || !texts.isEmpty else {
      throw SafetensorsError(path: path, sentence: SingleFilePart.strangers(file))
    }
    family = Self.family(of: unet, textParts)
    let isVelocity =
      family == .stableDiffusion2 && unet?.inChannels != 9 && !Self.isBase(file)
    let latents =
      switch family {
      case .stableDiffusionXL, .stableDiffusionXLRefiner: 128
      case .stableDiffusion2 where isVelocity: 96
      default: 64
      }
    unet?.sampleSize = .square(latents)
    autoencoder?.sampleSize = .square(8 * latents)
    if latents == 128 { autoencoder?.scalingFactor = 0.13025 }
    predictsVelocity = isVelocity
    unetConfig = unet
    autoencoderConfig = autoencoder
    textConfigs = texts.map(\.config)
    for problem in [unet?.problem, autoencoder?.problem] + textConfigs.map(\.problem) {
      if let problem { throw SafetensorsError(path: path, sentence: "\(problem).") }
    }
  }

  /// The U-Net. Throws `SafetensorsError` when there is none or its weights do not fit together.
  public func unet() throws -> UNet2DCondition {
    guard let part = unetPart, let config = unetConfig else { throw missing("U-Net") }
    let network = UNet2DCondition(config, using: nil)
    let names = LDMUNetNames.current(config)
    try load(part.weights { names($0) }, into: network, "U-Net")
    return network
  }

  /// The autoencoder. Throws `SafetensorsError` when there is none or its weights do not fit together.
  public func autoencoder() throws -> AutoencoderKL {
    guard let part = autoencoderPart, let config = autoencoderConfig else {
      throw missing("autoencoder")
    }
    let network = AutoencoderKL(config, using: nil)
    let names = LDMAutoencoderNames.current(config)
    var weights = part.weights { names($0) }
    for key in weights.keys where key.contains("attentions.") { weights[key]?.change = .matrix }
    try load(weights, into: network, "autoencoder")
    return network
  }

  /// The text encoders, in the order of the pipeline's. Throws `SafetensorsError` when weights do not
  /// fit together.
  public func textEncoders() throws -> [CLIPTextModel] {
    try zip(textParts, textConfigs).map { part, config in
      let network = CLIPTextModel(config, using: nil)
      try load(part.textWeights(for: network), into: network, "text encoder")
      return network
    }
  }

  private func load(
    _ weights: [String: StoredWeight], into network: Module, _ what: String
  ) throws {
    // A mapping of its own: two networks that look at the same pages would change each other.
    let file = try Weights.file(path)
    var tensors: [String: Tensor] = [:]
    for (key, weight) in weights { tensors[key] = try weight.tensor(in: file) }
    do {
      try network.adopt(tensors)
    } catch {
      throw SafetensorsError(
        path: path, sentence: "the weights of its \(what) do not fit together: \(error).")
    }
  }

  private func missing(_ what: String) -> SafetensorsError {
    SafetensorsError(path: path, sentence: "it holds no \(what); take a file of the whole model.")
  }

  /// The release by its text encoders, or by the U-Net where it stands alone.
  private static func family(
    of unet: UNetConditionConfig?, _ texts: [SingleFilePart]
  ) -> Family {
    if texts.contains(where: { $0.prefix.hasPrefix("conditioner.embedders.1.") }) {
      return .stableDiffusionXL
    }
    if let first = texts.first {
      if first.prefix.hasPrefix("conditioner.") {
        return first.isOpenCLIP ? .stableDiffusionXLRefiner : .stableDiffusionXL
      }
      return first.isOpenCLIP ? .stableDiffusion2 : .stableDiffusion1
    }
    guard let unet else { return .stableDiffusion1 }
    if unet.additionEmbedType != nil {
      return unet.crossAttentionDim[0] == 1280 ? .stableDiffusionXLRefiner : .stableDiffusionXL
    }
    return unet.useLinearProjection ? .stableDiffusion2 : .stableDiffusion1
  }

  /// Whether the file says that it was trained for as many steps as Stable Diffusion 2's base model.
  private static func isBase(_ file: SafetensorsFile) -> Bool {
    guard let step = try? file.tensor(named: "global_step"), step.count == 1 else { return false }
    return step.to(.float64).reshaped([]).item() == 875_000
  }
}
