import Datasets
import Diffusion
import Models
import NeuralNets
import Torch

/// Everything that decides how low-rank changes of a text-to-image model are trained, apart from data,
/// seed and length.
public struct LoRARecipe: TrainingRecipe {
  // What is changed.
  /// The folder of a text-to-image model, or a single file of one.
  public var model = ""
  /// Where a single file's tokenizer lies; empty: beside it.
  public var tokenizer = ""
  /// Rows of every A: how much can be learned, and how large the file is.
  public var rank = 8
  /// What products are multiplied by, times the rank; 0: the rank.
  public var alpha = 0.0
  /// Whether blocks are computed again in the backward pass, for less memory and more work.
  public var gradientCheckpointing = false

  // The objective; what the U-Net predicts and the levels of noise are the model's own.
  /// How errors count.
  public var loss = ErrorMeasure.mse
  /// γ of Min-SNR weighting; 0 for none.
  public var minSnrGamma = 0.0
  /// The strength of noise that all places of a channel share.
  public var offsetNoise = 0.0
  /// The chance that a caption is hidden.
  public var captionDropout = 0.0

  // The optimisation.
  /// Which rule changes the factors.
  public var optimizer = OptimizerKind.adamw
  /// The largest step size.
  public var learningRate = 1e-4
  /// Decay of the factors.
  public var weightDecay = 0.01
  /// The course of the step size after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step size rises from 0.
  public var lrWarmupSteps = 0
  /// The largest norm of all gradients together; 0 for no limit.
  public var gradientClip = 1.0
  /// The decay of averaged factors, the ones that are kept; 0: the factors themselves.
  public var emaDecay = 0.0
  /// Pictures a step.
  public var batchSize = 4
  /// Parts of a batch that go through the networks one after another, for a batch that does not fit;
  /// their gradients add up to the batch's.
  public var accumulation = 1

  /// The default.
  public init() {}

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<LoRARecipe>] {
    [
      Preset("attention", "rank 8 on all attention projections of the U-Net"),
      Preset("low-memory", "the same with one picture at a time and blocks computed twice") {
        recipe in
        recipe.batchSize = 1
        recipe.gradientCheckpointing = true
      },
    ]
  }

  /// How factors are changed.
  public var optimization: OptimizationSettings {
    OptimizationSettings(
      optimizer: optimizer, learningRate: learningRate, weightDecay: weightDecay,
      lrSchedule: lrSchedule, lrWarmupSteps: lrWarmupSteps, gradientClip: gradientClip,
      emaDecay: emaDecay)
  }

  /// What the U-Net was trained to do and is trained on to do.
  func objective(_ process: SchedulerConfig) -> DiffusionObjective {
    DiffusionObjective(
      .markov(NoiseSchedule(process)), prediction: process.predictionType, error: loss,
      minSNRGamma: minSnrGamma > 0 ? minSnrGamma : nil, offsetNoise: offsetNoise)
  }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if model.isEmpty {
      return "model is empty; name the folder of a text-to-image model with --model"
    }
    if !(1...1024).contains(rank) { return "rank is \(rank); it must lie in 1...1024" }
    if !(0...1).contains(captionDropout) {
      return "caption_dropout is \(captionDropout); it must lie in 0...1"
    }
    return batchSizeProblem(batchSize) ?? BatchParts.problem(accumulation, of: batchSize)
      ?? notNegative("alpha", alpha) ?? notNegative("min_snr_gamma", minSnrGamma)
      ?? notNegative("offset_noise", offsetNoise) ?? optimization.problem
  }

  /// The trainer of the changes.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try LoRATrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}
