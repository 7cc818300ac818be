import Datasets
import Diffusion
import Models
import NeuralNets
import Torch

/// Everything that decides how a diffusion model is trained, apart from data, seed and length.
public struct DiffusionRecipe: TrainingRecipe {
  // The network.
  /// Channels of each level, from the full picture down; every level but the last halves it.
  public var blockOutChannels = [32, 64, 128]
  /// Residual blocks a level.
  public var layersPerBlock = 1
  /// The levels with attention, counted from 0 at the full picture.
  public var attentionLevels = [2]
  /// Channels of an attention head.
  public var attentionHeadDim = 32
  /// Groups of every normalisation.
  public var normNumGroups = 8
  /// The chance of an element of a residual block to be dropped.
  public var dropout = 0.0
  /// Whether blocks are computed again in the backward pass, for less memory and more work.
  public var gradientCheckpointing = false

  // The process.
  /// T, the number of noise levels.
  public var numTrainTimesteps = 1000
  /// The course of β.
  public var betaSchedule = BetaSchedule.linear
  /// β of the first level.
  public var betaStart = 0.0001
  /// β of the last level.
  public var betaEnd = 0.02
  /// Whether the last level is pure noise.
  public var rescaleBetasZeroSnr = false

  // The objective.
  /// What the network predicts; `flow_prediction` makes a rectified flow.
  public var predictionType = Prediction.epsilon
  /// How errors count.
  public var loss = ErrorMeasure.mse
  /// γ of Min-SNR weighting; 0 for none.
  public var minSnrGamma = 0.0
  /// The strength of noise that all pixels of a channel share.
  public var offsetNoise = 0.0
  /// Whether the variance of the steps is learned (the hybrid loss).
  public var learnedVariance = false
  /// The weight of the variational bound in the hybrid loss.
  public var boundWeight = 0.001
  /// Whether the network is told the pictures' classes, where the data has them.
  public var classConditional = true
  /// The chance that a picture's class is hidden, so that guidance has something to compare with.
  public var conditionDropout = 0.1

  // The optimisation.
  /// Which rule changes the weights.
  public var optimizer = OptimizerKind.adamw
  /// The largest step size.
  public var learningRate = 1e-3
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
  public var batchSize = 64
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1
  /// Whether pictures are mirrored at random.
  public var flip = false

  /// The default, for pictures of 28 or 32 pixels.
  public init() {}

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<DiffusionRecipe>] {
    [
      Preset("unet", "a U-Net of three levels for 28 or 32 pixels, predicts ε (DDPM)"),
      Preset("unet-64", "a U-Net of four levels for 64 pixels") { recipe in
        recipe.blockOutChannels = [32, 64, 128, 128]
        recipe.attentionLevels = [3]
        recipe.batchSize = 32
      },
      Preset("tiny", "a small U-Net that learns something in a minute") { recipe in
        recipe.blockOutChannels = [16, 32, 64]
        recipe.batchSize = 32
      },
      Preset("velocity", "predicts v, cosine schedule down to pure noise, Min-SNR weighting") {
        recipe in
        recipe.predictionType = .velocity
        recipe.betaSchedule = .cosine
        recipe.rescaleBetasZeroSnr = true
        recipe.minSnrGamma = 5
      },
      Preset("learned-variance", "predicts ε and the steps' variance, cosine schedule") { recipe in
        recipe.learnedVariance = true
        recipe.betaSchedule = .cosine
      },
      Preset("flow", "rectified flow: straight lines from noise to picture") {
        $0.predictionType = .flow
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

  /// The trainer of a diffusion model.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try DiffusionTrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}

// MARK: - What follows from it

extension DiffusionRecipe {
  /// The network for pictures of this size; `classes` is 0 without classes.
  public func network(imageSize: Int, channels: Int, classes: Int) -> UNetConfig {
    var config = UNetConfig()
    let levels = blockOutChannels.indices
    config.sampleSize = .square(imageSize)
    config.inChannels = channels
    config.outChannels = learnedVariance ? 2 * channels : channels
    config.blockOutChannels = blockOutChannels
    config.layersPerBlock = layersPerBlock
    config.downBlockTypes = levels.map { attentionLevels.contains($0) ? .attention : .plain }
    config.upBlockTypes = levels.reversed().map {
      attentionLevels.contains($0) ? .attention : .plain
    }
    config.attentionHeadDim = attentionHeadDim
    config.normNumGroups = normNumGroups
    config.dropout = dropout
    // One more row where classes are hidden now and then: the class of no class.
    config.numClassEmbeds = classes > 0 ? classes + (conditionDropout > 0 ? 1 : 0) : nil
    return config
  }

  /// The class of the scheduler that a run's folder names.
  public var schedulerClass: SchedulerClass { predictionType == .flow ? .flowEuler : .ddpm }

  /// The configuration of the scheduler that a run's folder names.
  public var schedulerConfig: SchedulerConfig {
    var config = schedulerClass.defaults
    config.numTrainTimesteps = numTrainTimesteps
    guard predictionType != .flow else { return config }
    config.betaSchedule = betaSchedule
    config.betaStart = betaStart
    config.betaEnd = betaEnd
    config.rescaleBetasZeroSnr = rescaleBetasZeroSnr
    config.timestepSpacing = rescaleBetasZeroSnr ? .trailing : .leading
    config.predictionType = predictionType
    config.varianceType = learnedVariance ? .learnedRange : .fixedSmall
    return config
  }

  /// What the network is trained to do.
  public var objective: DiffusionObjective {
    DiffusionObjective(
      predictionType == .flow
        ? .flow(count: numTrainTimesteps) : .markov(NoiseSchedule(schedulerConfig)),
      prediction: predictionType, error: loss, minSNRGamma: minSnrGamma > 0 ? minSnrGamma : nil,
      offsetNoise: offsetNoise, boundWeight: learnedVariance ? boundWeight : nil)
  }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if numTrainTimesteps < 2 {
      return "num_train_timesteps is \(numTrainTimesteps); at least 2 levels are needed"
    }
    if !(0..<1).contains(dropout) { return "dropout is \(dropout); it must lie in 0..<1" }
    if !(0...1).contains(conditionDropout) {
      return "condition_dropout is \(conditionDropout); it must lie in 0...1"
    }
    if blockOutChannels.isEmpty { return "block_out_channels is empty; a network needs a level" }
    if let level = attentionLevels.first(where: { !blockOutChannels.indices.contains($0) }) {
      return "attention_levels names the level \(level), but there are \(blockOutChannels.count), "
        + "from 0"
    }
    if predictionType == .flow {
      if learnedVariance {
        return "a flow has no steps with a variance; leave learned_variance out"
      }
      if minSnrGamma > 0 { return "min_snr_gamma weighs a Markov chain's levels, not a flow's" }
      if rescaleBetasZeroSnr { return "a flow has no betas; leave rescale_betas_zero_snr out" }
    }
    if rescaleBetasZeroSnr, predictionType == .epsilon {
      return "with rescale_betas_zero_snr the last level holds nothing but noise, and seeing the "
        + "noise says nothing there; set prediction_type to v_prediction or sample"
    }
    return batchSizeProblem(batchSize) ?? BatchParts.problem(accumulation, of: batchSize)
      ?? notNegative("min_snr_gamma", minSnrGamma)
      ?? notNegative("offset_noise", offsetNoise) ?? notNegative("bound_weight", boundWeight)
      ?? optimization.problem ?? schedulerConfig.problem
  }
}
