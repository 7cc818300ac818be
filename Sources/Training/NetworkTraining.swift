import Datasets
import NeuralNets
import Torch

/// What trains one network: optimizer, learning-rate schedule, averages and the noise that is drawn
/// on the way, in steps and in checkpoints.
public final class NetworkTraining {
  /// The network that is trained.
  public let network: Module
  /// Its slow copy, the one that is kept.
  public let average: ExponentialMovingAverage
  /// Where the training's noise comes from.
  public let noise: Generator
  /// What tells this network's files and measures from those of others: `generator`; empty where
  /// there is one network.
  private let name: String
  private let settings: OptimizationSettings
  private let optimizer: any Optimizer
  private let schedule: LearningRateSchedule
  private let trained: [Parameter]
  private let moreNoise: [(name: String, generator: Generator)]
  /// Running statistics, and what they were after the last step that was taken.
  private let buffers: [Buffer]
  private var takenBuffers: [Tensor]
  private let ranks: Ranks
  private let seed: UInt64
  /// What averages the gradients over the ranks; made at the first step.
  private var reducer: Ranks.RankReducer?
  private let rankNoise: Generator
  private var rankNoiseStep = -1

  /// The name under which `descend` tells of a step that it did not take.
  public static let skipped = "skipped"

  /// A training of `network` from its weights of now. `name`: what tells its files and measures from
  /// those of the other networks of the run. `moreNoise`: further generators that a resume has to
  /// restore, such as dropout's. `ranks`: who trains it together, and with `synchronizes` takes the
  /// statistics of batch normalisation together, which then has no gradients of gradients.
  public init(
    _ network: Module, name: String = "", _ settings: OptimizationSettings, seed: UInt64,
    moreNoise: [(name: String, generator: Generator)] = [], ranks: Ranks = .alone,
    synchronizes: Bool = true
  ) {
    if synchronizes { ranks.synchronize(network) }
    self.network = network
    self.name = name
    self.settings = settings
    average = ExponentialMovingAverage(of: network, decay: settings.emaDecay)
    trained = network.parameters.filter(\.value.requiresGradient)
    optimizer = settings.makeOptimizer(trained)
    schedule = LearningRateSchedule(settings.lrSchedule, warmup: settings.lrWarmupSteps)
    noise = Generator(seed: seed &+ 1)
    self.moreNoise = moreNoise
    self.ranks = ranks
    self.seed = seed
    rankNoise = Generator(seed: seed)
    buffers = network.namedBuffers.map(\.buffer).filter(\.value.dtype.isFloatingPoint)
    takenBuffers = buffers.map { $0.value.clone() }
  }

  /// One step down the gradient of `loss`: Adam (or the recipe's rule) at the schedule's rate, then
  /// the averages follow.
  ///
  /// Where a gradient is not finite, nothing moves, and `skipped` is told. Otherwise returns the norm
  /// of all gradients before they were clipped, as a measure of the step, if they have a limit or the
  /// settings ask for it.
  ///
  /// Throws `TrainingError` when other ranks are lost.
  public func descend(
    _ loss: Tensor, step: Int, progress: Double
  ) throws -> [(name: String, value: Double)] {
    try descend(step: step, progress: progress, averaging: false) { try averagedBackward(loss) }
  }

  /// The same step for a batch that goes through the network in `parts`: `loss` gives the mean over
  /// the pictures of one, `[]`. Returns the batch's loss beside what is told of the step.
  func descend(
    _ parts: BatchParts, step: Int, progress: Double, loss: (BatchParts.Part) -> Tensor
  ) throws -> (loss: Double, metrics: [(name: String, value: Double)]) {
    var sum = 0.0
    let metrics = try descend(step: step, progress: progress, averaging: false) {
      for (index, part) in parts.enumerated() {
        let whole = loss(part)
        let share = part.share == 1 ? whole : part.share * whole
        if index < parts.count - 1 { share.backward() } else { try averagedBackward(share) }
        sum += share.item()
      }
    }
    return (sum, metrics)
  }

  /// The batch's last backward pass, which leaves the means over the ranks.
  private func averagedBackward(_ loss: Tensor) throws {
    guard ranks.count > 1 else { return loss.backward() }
    if reducer == nil { reducer = try ranks.reducer(of: trained.map(\.value)) }
    try reducer?.backward(loss)
  }

  /// The same step where `backward` leaves the gradients, for losses of which each part of the
  /// network takes its own share.
  public func descend(
    step: Int, progress: Double, backward: () throws -> Void
  ) throws -> [(name: String, value: Double)] {
    try descend(step: step, progress: progress, averaging: true, backward: backward)
  }

  /// `averaging`: whether `backward` leaves this rank's gradients alone.
  private func descend(
    step: Int, progress: Double, averaging: Bool, backward: () throws -> Void
  ) throws -> [(name: String, value: Double)] {
    optimizer.learningRate =
      settings.learningRate * schedule.factor(step: step, progress: progress)
    if ranks.count > 1 {
      for (index, more) in moreNoise.enumerated() {
        more.generator.reseed(rankSeed(step: step, UInt64(index) + 1))
      }
    }
    optimizer.clearGradients()
    try backward()
    if averaging { try ranks.average(trained.compactMap(\.value.gradient)) }
    let limit = settings.gradientClip
    let norm = gradientNorm(trained).item()
    guard norm.isFinite else {
      optimizer.clearGradients()
      for (buffer, taken) in zip(buffers, takenBuffers) { buffer.value.copy(from: taken) }
      return [(Self.skipped, 1)]
    }
    optimizer.step(
      along: limit > 0 ? clippingFactor(norm: norm, limit: limit) : 1, moving: average)
    for (buffer, taken) in zip(buffers, takenBuffers) { taken.copy(from: buffer.value) }
    guard limit > 0 || settings.measuresGradient else { return [] }
    return [(name.isEmpty ? "gradient_norm" : "\(name)_gradient_norm", norm)]
  }

  /// Where draws come from that are made for this rank's pictures alone, such as dropout's: the
  /// training's noise for a single process, else a generator that starts from (seed, rank, step).
  func ownNoise(step: Int) -> Generator {
    guard ranks.count > 1 else { return noise }
    if rankNoiseStep != step {
      rankNoise.reseed(rankSeed(step: step, 0))
      rankNoiseStep = step
    }
    return rankNoise
  }

  private func rankSeed(step: Int, _ purpose: UInt64) -> UInt64 {
    mixedSeed(seed, UInt64(ranks.rank), UInt64(step), purpose)
  }

  /// Whether the network's weights take part in graphs; the other player's turn goes without.
  public var isFrozen = false {
    didSet { for parameter in trained { parameter.value.requiresGradient = !isFrozen } }
  }

  /// The network with its averaged weights, not in training, outside of any graph, for as long as
  /// `body` runs.
  public func withAverages<R>(_ body: () throws -> R) rethrows -> R {
    try average.withAverages { () throws -> R in
      network.setTraining(false)
      defer { network.setTraining(true) }
      return try withoutGradients(body)
    }
  }

  /// The state that a resume needs.
  public var checkpointState: [(file: String, state: [(key: String, tensor: Tensor)])] {
    [
      (file("network"), network.state), (file("ema"), average.state),
      (file("optimizer"), optimizer.state),
      (file("generators"), generators.map { ($0.name, $0.generator.state) }),
    ]
  }

  private func file(_ content: String) -> String { name.isEmpty ? content : "\(name)-\(content)" }

  private var generators: [(name: String, generator: Generator)] {
    [("noise", noise)] + moreNoise
  }

  /// Takes over a checkpoint. Throws `TrainingError` when it does not fit.
  public func load(_ checkpoint: Checkpoint) throws {
    let position = try checkpoint.position()
    try fitting(checkpoint, file("network")) { try network.load($0) }
    for (buffer, taken) in zip(buffers, takenBuffers) { taken.copy(from: buffer.value) }
    try fitting(checkpoint, file("ema")) { try average.load($0, updates: position.emaUpdates) }
    try fitting(checkpoint, file("optimizer")) { try optimizer.load($0) }
    let states = try checkpoint.tensors(file("generators"))
    for (name, generator) in generators {
      guard let state = states[name], state.dtype == .uint8, state.shape == generator.state.shape
      else {
        throw TrainingError(
          path: "\(checkpoint.path)/\(file("generators")).safetensors",
          "this file holds no state of the generator \(name).")
      }
      generator.state = state
    }
  }

  private func fitting(
    _ checkpoint: Checkpoint, _ file: String, _ body: ([String: Tensor]) throws -> Void
  ) throws {
    let tensors = try checkpoint.tensors(file)
    do {
      try body(tensors)
    } catch let mismatch as StateMismatch {
      throw TrainingError(
        path: "\(checkpoint.path)/\(file).safetensors",
        "this checkpoint does not fit the run's network: \(mismatch).")
    }
  }
}

/// How weights are changed: what every recipe says about it.
public struct OptimizationSettings: Sendable {
  /// Which rule changes the weights.
  public var optimizer: OptimizerKind
  /// The largest step size.
  public var learningRate: Double
  /// Decay of the weights.
  public var weightDecay: Double
  /// The course of the step size after the warm-up.
  public var lrSchedule: LearningRateSchedule.Shape
  /// Steps over which the step size rises from 0.
  public var lrWarmupSteps: Int
  /// The largest norm of all gradients together; 0 for no limit.
  public var gradientClip: Double
  /// The decay of the averaged weights.
  public var emaDecay: Double
  /// β₁ and β₂ of Adam.
  public var betas: (Double, Double)
  /// Whether the gradients' norm is measured where it has no limit.
  public var measuresGradient: Bool

  /// All settings.
  public init(
    optimizer: OptimizerKind, learningRate: Double, weightDecay: Double,
    lrSchedule: LearningRateSchedule.Shape, lrWarmupSteps: Int, gradientClip: Double,
    emaDecay: Double, betas: (Double, Double) = (0.9, 0.999), measuresGradient: Bool = false
  ) {
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.lrSchedule = lrSchedule
    self.lrWarmupSteps = lrWarmupSteps
    self.gradientClip = gradientClip
    self.emaDecay = emaDecay
    self.betas = betas
    self.measuresGradient = measuresGradient
  }

  /// The optimizer over some parameters.
  func makeOptimizer(_ parameters: [Parameter]) -> any Optimizer {
    switch optimizer {
    case .sgd:
      SGD(parameters, learningRate: learningRate, momentum: 0.9, weightDecay: weightDecay)
    case .adam, .adamw:
      Adam(
        parameters, learningRate: learningRate, betas: betas, weightDecay: weightDecay,
        decoupled: optimizer == .adamw)
    case .rmsprop:
      RMSprop(parameters, learningRate: learningRate, weightDecay: weightDecay)
    case .lion:
      Lion(parameters, learningRate: learningRate, weightDecay: weightDecay)
    }
  }

  /// What is wrong with the numbers, as one sentence; `nil` when training can start.
  public var problem: String? {
    if !(0..<1).contains(emaDecay) { return "ema_decay is \(emaDecay); it must lie in 0..<1" }
    for (name, beta) in [("beta1", betas.0), ("beta2", betas.1)] where !(0..<1).contains(beta) {
      return "\(name) is \(beta); it must lie in 0..<1"
    }
    return positive("learning_rate", learningRate) ?? notNegative("weight_decay", weightDecay)
      ?? notNegative("gradient_clip", gradientClip)
      ?? notNegative("lr_warmup_steps", Double(lrWarmupSteps))
  }
}

/// What is wrong with a setting that must be positive, if something is.
func positive(_ name: String, _ value: Double) -> String? {
  value > 0 && value.isFinite ? nil : "\(name) is \(value); it must be positive"
}

/// What is wrong with a setting that must not be negative, if something is.
func notNegative(_ name: String, _ value: Double) -> String? {
  value >= 0 && value.isFinite ? nil : "\(name) is \(value); it must not be negative"
}

/// What is wrong with a batch size, if something is.
func batchSizeProblem(_ value: Int) -> String? {
  (1...65_536).contains(value) ? nil : "batch_size is \(value); it must lie in 1...65536"
}

/// The optimizers that a recipe can name.
public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
  /// Stochastic gradient descent with momentum 0.9.
  case sgd
  /// Adam.
  case adam
  /// Adam with decoupled weight decay.
  case adamw
  /// RMSprop.
  case rmsprop
  /// Lion.
  case lion
}
