import Foundation
import Images
import Torch

/// What a family's trainer gives the session that runs it.
public protocol Trainer: AnyObject {
  /// Trains until the session is done.
  func train(_ session: TrainingSession) throws
  /// The state that a resume needs, by file: weights, averages, optimizer, generators.
  var checkpointState: [(file: String, state: [(key: String, tensor: Tensor)])] { get }
  /// How often the averaged weights were updated.
  var emaUpdates: Int { get }
  /// Takes over what `checkpointState` gave. Throws when something does not fit.
  func load(_ checkpoint: Checkpoint) throws
  /// Batches in a pass over the data.
  var stepsPerEpoch: Int { get }
  /// Numbers that are trained.
  var parameterCount: Int { get }
  /// Writes the network as sampling loads it (the averaged weights) into the run folder.
  func export(to run: RunFolder) throws
  /// A sheet of pictures that shows how far the training is; always from the same draws.
  func sheet() throws -> Image
  /// Measures on held-out pictures, by name, in a fixed order.
  func validate() throws -> [(name: String, value: Double)]
  /// How many sheets a whole training leaves.
  var sheetCount: Int { get }
  /// New samples for a watch, always from the same draws: pictures `[N, C, H, W]` in [0, 1] or
  /// points `[N, 2]`; `nil` where the family has none.
  func watchedSamples() throws -> Tensor?
}

extension Trainer {
  /// Eight.
  public var sheetCount: Int { 8 }
  /// None.
  public func watchedSamples() throws -> Tensor? { nil }
}

/// A trainer of one network, whose state is that of its learning.
public protocol OneNetworkTrainer: Trainer {
  /// Optimizer, averages and noise.
  var learning: NetworkTraining { get }
}

extension OneNetworkTrainer {
  /// The state that a resume needs.
  public var checkpointState: [(file: String, state: [(key: String, tensor: Tensor)])] {
    learning.checkpointState
  }
  /// How often the averages moved.
  public var emaUpdates: Int { learning.average.updates }
  /// Takes over a checkpoint.
  public func load(_ checkpoint: Checkpoint) throws { try learning.load(checkpoint) }
  /// Numbers that are trained.
  public var parameterCount: Int { learning.network.parameterCount }
}

/// The bookkeeping around a trainer's loop: budget, reports, samples, checkpoints, interruption.
///
/// A trainer asks `isDone`, does a step, and says what it measured in `completeStep`.
public final class TrainingSession {
  /// Where the training stands.
  public private(set) var position: TrainingPosition
  /// Whether a signal ended the training before its budget did.
  public private(set) var isInterrupted = false
  private let run: RunFolder
  private let budget: TrainingBudget
  private let stepsPerEpoch: Int
  private let observers: [any TrainingObserver]
  private let watch: (any TrainingWatch)?
  private let checkpointSeconds: Double
  private let sheets: Int
  private let reportSeconds: Double

  /// Pictures a second over the steps of this session.
  public var imagesPerSecond: Double {
    Double(samples) / max(position.seconds - startSeconds, 1e-9)
  }
  private var samples = 0
  private let startSeconds: Double

  private var reportStart: (seconds: Double, samples: Int) = (0, 0)
  /// Of each measure since the last report; some are not taken at every step.
  private var sums: [(name: String, value: Double, count: Int)] = []
  private var lastTick: ContinuousClock.Instant?
  private var lastCheckpoint = ContinuousClock.now
  private var sheetsDrawn: Int

  /// A session that goes on from `position`.
  ///
  /// `sheets`: how many sheets of samples are drawn, evenly over the budget. `reportSeconds`: how
  /// long observers wait for the mean of several steps, at least; 0 tells every step.
  public init(
    run: RunFolder, budget: TrainingBudget, stepsPerEpoch: Int,
    observers: [any TrainingObserver], watch: (any TrainingWatch)? = nil,
    from position: TrainingPosition = TrainingPosition(), checkpointSeconds: Double = 300,
    sheets: Int = 8, reportSeconds: Double = 1
  ) {
    self.run = run
    self.budget = budget
    self.stepsPerEpoch = stepsPerEpoch
    self.observers = observers
    self.watch = watch
    self.position = position
    self.checkpointSeconds = checkpointSeconds
    self.sheets = sheets
    self.reportSeconds = reportSeconds
    startSeconds = position.seconds
    reportStart = (position.seconds, 0)
    sheetsDrawn = 0
    sheetsDrawn = Int(progress * Double(sheets))
  }

  /// The share of the budget that is done, 0 to 1.
  public var progress: Double {
    budget.progress(
      step: position.step, seconds: position.seconds, stepsPerEpoch: stepsPerEpoch)
  }

  /// Whether the budget is spent or a signal came. Starts the clock of the next step.
  public var isDone: Bool {
    if Interruption.signalNumber != nil { isInterrupted = true }
    if lastTick == nil { lastTick = .now }
    return progress >= 1 || isInterrupted
  }

  /// Counts a step of `samples` pictures and tells the observers now and then.
  ///
  /// Throws `TrainingError` when a measure is not finite, and whatever an observer throws.
  public func completeStep(
    _ trainer: any Trainer, samples: Int, metrics: [(name: String, value: Double)]
  ) throws {
    let now = ContinuousClock.now
    position.seconds += (now - (lastTick ?? now)) / .seconds(1)
    lastTick = now
    position.step += 1
    position.batch += 1
    if position.batch == stepsPerEpoch {
      (position.epoch, position.batch) = (position.epoch + 1, 0)
    }
    if let bad = metrics.first(where: { !$0.value.isFinite }) {
      throw TrainingError(
        path: run.path,
        "the \(bad.name) became \(bad.value) at step \(position.step); lower learning_rate or set "
          + "gradient_clip, and start anew.")
    }
    accumulate(metrics, samples)
    if position.seconds - reportStart.seconds >= reportSeconds || progress >= 1 { try report() }
    if Int(progress * Double(sheets)) > sheetsDrawn {
      sheetsDrawn = Int(progress * Double(sheets))
      try drawSheet(trainer)
    }
    if (now - lastCheckpoint) / .seconds(1) >= checkpointSeconds { try checkpoint(trainer) }
  }

  /// Ends the training: measures, writes the last checkpoint and the network for sampling.
  public func finish(_ trainer: any Trainer) throws -> [(name: String, value: Double)] {
    try tell(.ended(step: position.step, interrupted: isInterrupted))
    try checkpoint(trainer)
    try trainer.export(to: run)
    guard !isInterrupted else { return [] }
    let metrics = try trainer.validate()
    try tell(.validated(step: position.step, metrics: metrics))
    return metrics
  }

  private func accumulate(_ metrics: [(name: String, value: Double)], _ samples: Int) {
    for metric in metrics {
      if let index = sums.firstIndex(where: { $0.name == metric.name }) {
        sums[index].value += metric.value
        sums[index].count += 1
      } else {
        sums.append((metric.name, metric.value, 1))
      }
    }
    self.samples += samples
    reportStart.samples += samples
  }

  private func report() throws {
    let elapsed = max(position.seconds - reportStart.seconds, 1e-9)
    let report = StepReport(
      step: position.step, epoch: position.epoch, progress: progress,
      seconds: position.seconds, rate: Double(reportStart.samples) / elapsed,
      metrics: sums.map { ($0.name, $0.value / Double($0.count)) })
    try tell(.stepped(report))
    for sentence in watch?.warnings(after: report) ?? [] {
      try tell(.warned(step: position.step, sentence: sentence))
    }
    sums = []
    reportStart = (position.seconds, 0)
  }

  private func drawSheet(_ trainer: any Trainer) throws {
    let sheet = try trainer.sheet()
    let number = String(position.step)
    let name = "step-" + String(repeating: "0", count: max(0, 8 - number.count)) + number
    let path = "\(run.samplesPath)/\(name).png"
    try sheet.write(to: path)
    try tell(.sampled(step: position.step, path: path, sheet: sheet))
    if let watch, let samples = try trainer.watchedSamples() {
      let metrics = try watch.measure(samples)
      if !metrics.isEmpty { try tell(.measured(step: position.step, metrics: metrics)) }
    }
    lastTick = .now
  }

  private func checkpoint(_ trainer: any Trainer) throws {
    position.emaUpdates = trainer.emaUpdates
    let written = try Checkpoint.write(
      of: run, position: position, tensors: trainer.checkpointState)
    try tell(.checkpointed(step: position.step, path: written.path))
    lastCheckpoint = .now
    lastTick = .now
  }

  private func tell(_ event: TrainingEvent) throws {
    for observer in observers { try observer.observe(event) }
  }
}
