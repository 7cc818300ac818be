import Datasets
import Models
import NeuralNets
import Torch

/// Everything that decides how a classifier is trained, apart from data, seed and length.
public struct ClassifierRecipe: TrainingRecipe {
  // The network.
  /// Channels of each level, from the full picture down; every level but the first halves it.
  public var blockOutChannels = [24, 48, 96]

  // The objective.
  /// The share of a class's chance that the target gives to all classes alike (Szegedy et al. 2016).
  public var labelSmoothing = 0.1

  // The optimisation.
  /// Which rule changes the weights.
  public var optimizer = OptimizerKind.adamw
  /// The largest step size.
  public var learningRate = 4e-3
  /// Decay of the weights.
  public var weightDecay = 0.02
  /// The course of the step size after the warm-up.
  public var lrSchedule = LearningRateSchedule.Shape.cosine
  /// Steps over which the step size rises from 0.
  public var lrWarmupSteps = 200
  /// The largest norm of all gradients together; 0 for no limit.
  public var gradientClip = 0.0
  /// The decay of the averaged weights, the ones that are kept.
  public var emaDecay = 0.99
  /// Pictures a step.
  public var batchSize = 128
  /// Whether pictures are mirrored at random.
  public var flip = false
  /// Pixels by which pictures are moved at random, at most, along each axis.
  public var shift = 2

  /// The default, for pictures of about 32 pixels.
  public init() {}

  /// The presets, the default first.
  public static func presets(of family: Family) -> [Preset<ClassifierRecipe>] {
    [
      Preset("residual", "a residual network of three levels for about 32 pixels"),
      Preset("residual-64", "a residual network of four levels for about 64 pixels") { recipe in
        recipe.blockOutChannels = [16, 32, 64, 128]
        recipe.shift = 4
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

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if !(0..<1).contains(labelSmoothing) {
      return "label_smoothing is \(labelSmoothing); it must lie in 0..<1"
    }
    if !(0...64).contains(shift) { return "shift is \(shift); it must lie in 0...64" }
    return batchSizeProblem(batchSize) ?? optimization.problem
  }

  /// The trainer of a classifier.
  public func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer {
    try ClassifierTrainer(
      self, train: train, test: test, seed: seed, device: device, from: position, ranks: ranks)
  }
}
