import Datasets
import Diffusion
import Interchange
import Models
import NeuralNets
import Torch

/// Everything that decides how a latent diffusion model is trained, apart from data, seed and length.
public struct LatentDiffusionRecipe: TrainingRecipe {
  // What is given.
  /// A folder with a KL autoencoder: a run of `autoencoder-kl`, a pipeline, or the network itself.
  /// Empty: one is trained first.
  public var autoencoder = ""
  /// The preset of the autoencoder that is trained first.
  public var autoencoderPreset = "kl-64"
  /// A pipeline's folder whose text encoder and tokenizer are taken over and stay as they are. Empty:
  /// a text encoder is trained along.
  public var textEncoder = ""

  // The U-Net.
  /// Channels of each level, from the full latents down; every level but the last halves them.
  public var blockOutChannels = [64, 128, 256]
  /// Residual blocks a level.
  public var layersPerBlock = 1
  /// The levels that look at the caption, counted from 0 at the full latents.
  public var attentionLevels = [1, 2]
  /// Channels of an attention head.
  public var attentionHeadDim = 32
  /// Groups of every normalisation.
  public var normNumGroups = 32
  /// The chance of an element of a residual block to be dropped.
  public var dropout = 0.0
  /// Whether blocks are computed again in the backward pass, for less memory and more work.
  public var gradientCheckpointing = false

  // The text encoder that is trained along.
  /// Tokens that its tokenizer knows; fewer where the captions hold fewer pairs.
  public var vocabularySize = 4096
  /// Tokens of a caption that are seen, beginning and end included.
  public var windowLength = 40
  /// Channels of a token.
  public var textWidth = 256
  /// Layers.
  public var textLayers = 2
  /// Heads of every attention.
  public var textHeads = 4

  // The process.
  /// T, the number of noise levels.
  public var numTrainTimesteps = 1000
  /// The course of β.
  public var betaSchedule = BetaSchedule.scaledLinear
  /// β of the first level.
  public var betaStart = 0.00085
  /// β of the last level.
  public var betaEnd = 0.012
  /// Whether the last level is pure noise, without which a model cannot draw much white or black.
  public var rescaleBetasZeroSnr = true

  // The objective.
  /// What the U-Net predicts.
  public var predictionType = Prediction.velocity
  /// How errors count.
  public var loss = ErrorMeasure.mse
  /// γ of Min-SNR weighting; 0 for none.
  public var minSnrGamma = 5.0
  /// The strength of noise that all places of a channel share.
  public var offsetNoise = 0.0
  /// The chance that a caption is hidden, so that guidance has something to compare with.
  public var captionDropout = 0.1

  // The optimisation.
  /// Which rule changes the weights.
  public var optimizer = OptimizerKind.adamw
  /// The largest step size.
  public var learningRate = 6e-4
  /// Decay of the weights.
  public var weightDecay = 0.0
  /// The course of the step size after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step size rises from 0.
  public var lrWarmupSteps = 200
  /// The largest norm of all gradients together; 0 for no limit.
  public var gradientClip = 1.0
  /// The decay of the averaged weights, the ones that are kept.
  public var emaDecay = 0.999
  /// Pictures a step.
  public var batchSize = 32
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1

  /// The default, for pictures of 64 pixels whose latents have 16.
  public init() {}

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<LatentDiffusionRecipe>] {
    [
      Preset(
        "emoji", "16×16 latents, some 19 M parameters, a text encoder of its own; predicts v"),
      Preset("tiny", "a small model that learns something in minutes") { recipe in
        recipe.autoencoderPreset = "tiny"
        recipe.blockOutChannels = [32, 64]
        recipe.attentionLevels = [1]
        recipe.normNumGroups = 8
        (recipe.textWidth, recipe.textLayers, recipe.textHeads) = (64, 2, 2)
        (recipe.vocabularySize, recipe.windowLength) = (1024, 24)
        recipe.batchSize = 16
        recipe.lrWarmupSteps = 100
        recipe.emaDecay = 0.99
      },
    ]
  }

  /// How weights are changed.
  public var optimization: OptimizationSettings {
    OptimizationSettings(
      optimizer: optimizer, learningRate: learningRate, weightDecay: weightDecay,
      lrSchedule: lrSchedule, lrWarmupSteps: lrWarmupSteps, gradientClip: gradientClip,
      emaDecay: emaDecay)
  }

  /// The trainer of U-Net and text encoder.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try LatentDiffusionTrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}

// MARK: - What follows from it

extension LatentDiffusionRecipe {
  /// The U-Net over latents `[latentChannels, latentSize, latentSize]` that looks at states of a
  /// text encoder of `textWidth` channels.
  func unet(latentSize: Int, latentChannels: Int, textWidth: Int) -> UNetConditionConfig {
    var config = UNetConditionConfig()
    let levels = blockOutChannels.indices
    config.sampleSize = .square(latentSize)
    (config.inChannels, config.outChannels) = (latentChannels, latentChannels)
    config.blockOutChannels = blockOutChannels
    config.layersPerBlock = .one(layersPerBlock)
    config.downBlockTypes = levels.map { attentionLevels.contains($0) ? .cross : .plain }
    config.upBlockTypes = levels.reversed().map { attentionLevels.contains($0) ? .cross : .plain }
    config.crossAttentionDim = .one(textWidth)
    // diffusers' key holds the number of heads.
    config.attentionHeadDim = .many(blockOutChannels.map { max($0 / attentionHeadDim, 1) })
    config.useLinearProjection = true
    config.normNumGroups = normNumGroups
    config.dropout = dropout
    return config
  }

  /// The text encoder for a tokenizer's ids.
  func textConfig(vocabularySize: Int, begin: Int, end: Int, pad: Int) -> CLIPTextConfig {
    var config = CLIPTextConfig()
    config.vocabSize = vocabularySize
    config.hiddenSize = textWidth
    config.intermediateSize = 4 * textWidth
    config.projectionDim = textWidth
    config.numHiddenLayers = textLayers
    config.numAttentionHeads = textHeads
    config.maxPositionEmbeddings = windowLength
    config.hiddenAct = .gelu
    (config.bosTokenID, config.eosTokenID, config.padTokenID) = (begin, end, pad)
    return config
  }

  /// The configuration of the scheduler that a run's folder names: DPM-Solver++ (2M), which needs
  /// some twenty steps.
  public var schedulerConfig: SchedulerConfig {
    var config = SchedulerClass.dpmMultistep.defaults
    config.numTrainTimesteps = numTrainTimesteps
    config.betaSchedule = betaSchedule
    (config.betaStart, config.betaEnd) = (betaStart, betaEnd)
    config.rescaleBetasZeroSnr = rescaleBetasZeroSnr
    config.timestepSpacing = .trailing
    config.predictionType = predictionType
    return config
  }

  /// What the U-Net is trained to do.
  public var objective: DiffusionObjective {
    DiffusionObjective(
      .markov(NoiseSchedule(schedulerConfig)), prediction: predictionType, error: loss,
      minSNRGamma: minSnrGamma > 0 ? minSnrGamma : nil, offsetNoise: offsetNoise)
  }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if numTrainTimesteps < 2 {
      return "num_train_timesteps is \(numTrainTimesteps); at least 2 levels are needed"
    }
    if !(0..<1).contains(dropout) { return "dropout is \(dropout); it must lie in 0..<1" }
    if !(0...1).contains(captionDropout) {
      return "caption_dropout is \(captionDropout); it must lie in 0...1"
    }
    if blockOutChannels.isEmpty { return "block_out_channels is empty; a network needs a level" }
    if let level = attentionLevels.first(where: { !blockOutChannels.indices.contains($0) }) {
      return "attention_levels names the level \(level), but there are \(blockOutChannels.count), "
        + "from 0"
    }
    if !(1...4096).contains(attentionHeadDim) {
      return "attention_head_dim is \(attentionHeadDim); it must lie in 1...4096"
    }
    if !(8...1024).contains(windowLength) {
      return "window_length is \(windowLength); it must lie in 8...1024"
    }
    if predictionType == .flow {
      return "prediction_type is flow_prediction, which text to image here does not know; choose "
        + "v_prediction or epsilon"
    }
    if rescaleBetasZeroSnr, predictionType == .epsilon {
      return "with rescale_betas_zero_snr the last level holds nothing but noise, and seeing the "
        + "noise says nothing there; set prediction_type to v_prediction or sample"
    }
    return batchSizeProblem(batchSize) ?? BatchParts.problem(accumulation, of: batchSize)
      ?? notNegative("min_snr_gamma", minSnrGamma) ?? notNegative("offset_noise", offsetNoise)
      ?? optimization.problem ?? schedulerConfig.problem
  }
}
