import Datasets
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
  /// Where its batches come from.
  var loader: DataLoader { get }
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
  /// Which of the measures tells a better network; `nil` where none does.
  var goal: TrainingGoal? { get }
  /// How many sheets a whole training leaves.
  var sheetCount: Int { get }
  /// New samples for a watch, always from the same draws: pictures `[N, C, H, W]` in [0, 1] or
  /// points `[N, 2]`; `nil` where the family has none.
  func watchedSamples() throws -> Tensor?
}

extension Trainer {
  /// None.
  public var goal: TrainingGoal? { nil }
  /// Eight.
  public var sheetCount: Int { 8 }
  /// None.
  public func watchedSamples() throws -> Tensor? { nil }
}

/// The measure on held-out pictures by which a network is better than another one.
public struct TrainingGoal: Sendable {
  /// Its name.
  public let measure: String
  /// Whether a larger value is better.
  public var isLargerBetter = false
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

/// When checkpoints are written and which of them stay.
public struct CheckpointPlan: Sendable {
  /// Seconds between two.
  public var seconds = 300.0
  /// Which stay.
  public var retention = CheckpointRetention()
  /// Whether held-out pictures are measured at each, the best one stays, and the run's network is
  /// that one's at the end.
  public var keepsBest = false
  /// Whether the training waits until each is on the disk, and so leaves none out.
  var waits = false

  /// Every five minutes, the newest two.
  public init() {}

  init(seconds: Double, waits: Bool) { (self.seconds, self.waits) = (seconds, waits) }

  /// Only at the end.
  public static let atTheEnd = CheckpointPlan(seconds: .infinity, waits: true)
  /// After every step.
  static let everyStep = CheckpointPlan(seconds: 0, waits: true)
}

/// The bookkeeping around a trainer's loop: budget, reports, samples, checkpoints, interruption.
///
/// A trainer asks `isDone`, does a step, and says what it measured in `completeStep`.
public final class TrainingSession {
  /// Where the training stands.
  public private(set) var position: TrainingPosition
  /// Whether a signal ended the training before its budget did.
  public private(set) var isInterrupted = false
  /// The longest that the training stood still for a checkpoint, seconds: for copying what is then
  /// written beside it.
  public private(set) var checkpointPause = 0.0
  /// The signal that ended it, if one did; with several ranks it may have come to another one.
  public private(set) var signalNumber: Int32?
  /// Who trains together.
  public let ranks: Ranks
  private let run: RunFolder
  private let budget: TrainingBudget
  private let stepsPerEpoch: Int
  private let observers: [any TrainingObserver]
  private let watch: (any TrainingWatch)?
  private let checkpoints: CheckpointPlan
  private let writer: CheckpointWriter
  private let sheets: Int
  private let reportSeconds: Double

  /// Pictures a second over the steps of this session.
  public var imagesPerSecond: Double {
    Double(samples) / max(position.seconds - startSeconds, 1e-9)
  }
  private var samples = 0
  private let startSeconds: Double

  /// The share of this session's time that the training waited for its data, 0 to 1.
  public var dataWait: Double { Self.share(waited, of: position.seconds - startSeconds) }
  /// Seconds that the loader waited, by now and at the last report.
  private var (waited, reportedWait) = (0.0, 0.0)

  private var reportStart: (seconds: Double, samples: Int) = (0, 0)
  /// Of each measure since the last report; some are not taken at every step.
  private var sums: [(name: String, value: Double, count: Int)] = []
  private var lastTick: ContinuousClock.Instant?
  private var lastCheckpoint = ContinuousClock.now
  /// The step of the newest checkpoint.
  private var keptStep: Int?
  /// Steps that were not taken because something was not finite: in all, and the last ones in a row.
  private var skipped = (all: 0, inARow: 0)
  private var sheetsDrawn: Int
  private var isRoomMade = false

  /// A session that goes on from `position`.
  ///
  /// `sheets`: how many sheets of samples are drawn, evenly over the budget. `reportSeconds`: how
  /// long observers wait for the mean of several steps, at least; 0 tells every step. `ranks`: who
  /// trains together; all stop together and see the same measures, and rank 0 alone writes.
  public init(
    run: RunFolder, budget: TrainingBudget, stepsPerEpoch: Int,
    observers: [any TrainingObserver], watch: (any TrainingWatch)? = nil,
    from position: TrainingPosition = TrainingPosition(),
    checkpoints: CheckpointPlan = CheckpointPlan(), sheets: Int = 8, reportSeconds: Double = 1,
    ranks: Ranks = .alone
  ) {
    self.ranks = ranks
    self.run = run
    self.budget = budget
    self.stepsPerEpoch = stepsPerEpoch
    self.observers = observers
    self.watch = watch
    self.position = position
    self.checkpoints = checkpoints
    writer = CheckpointWriter(run)
    // A training that goes on has its checkpoint already.
    keptStep = position.step > 0 ? position.step : nil
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
    // Several ranks agree on it at the end of a step.
    if ranks.count == 1, let number = Interruption.signalNumber { stop(number) }
    if lastTick == nil { lastTick = .now }
    return progress >= 1 || isInterrupted
  }

  private func stop(_ signal: Int32) { (isInterrupted, signalNumber) = (true, signal) }

  /// Counts a step of `samples` pictures and tells the observers now and then.
  ///
  /// A step with a measure or a gradient that is not finite counts as left out; ten in a row end the
  /// training. Throws `TrainingError` then or when a checkpoint cannot be written, and whatever an
  /// observer throws.
  public func completeStep(
    _ trainer: any Trainer, samples: Int, metrics: [(name: String, value: Double)]
  ) throws {
    let now = ContinuousClock.now
    let (seconds, metrics) = try agreed((now - (lastTick ?? now)) / .seconds(1), metrics)
    position.seconds += seconds
    lastTick = now
    position.step += 1
    position.batch += 1
    if position.batch == stepsPerEpoch {
      (position.epoch, position.batch) = (position.epoch + 1, 0)
    }
    // A copy at the end makes nobody wait.
    if !isRoomMade, ranks.isFirst, checkpoints.seconds.isFinite {
      isRoomMade = true
      writer.prepare(trainer.checkpointState)
    }
    // Whatever the steps are computed in, what is looked at and kept is float32.
    try Precision.fp32 {
      try noteSkips(trainer, metrics)
      accumulate(
        metrics.filter { $0.value.isFinite && $0.name != NetworkTraining.skipped }, samples)
      waited = trainer.loader.waited
      if position.seconds - reportStart.seconds >= reportSeconds || progress >= 1 {
        try report()
        for sentence in trainer.loader.takeNotes() {
          try tell(.warned(step: position.step, sentence: sentence))
        }
      }
      if Int(progress * Double(sheets)) > sheetsDrawn {
        sheetsDrawn = Int(progress * Double(sheets))
        try drawSheet(trainer)
      }
      try collectCheckpoint(waiting: false)
      if (now - lastCheckpoint) / .seconds(1) >= checkpoints.seconds, !writer.isBusy {
        try checkpoint(trainer)
        if checkpoints.waits { try collectCheckpoint(waiting: true) }
      }
    }
  }

  /// What all ranks take a step's time and measures to be: rank 0's time, and means over the ranks.
  /// A signal that came to one of them ends the training of all.
  private func agreed(
    _ seconds: Double, _ metrics: [(name: String, value: Double)]
  ) throws -> (Double, [(name: String, value: Double)]) {
    guard ranks.count > 1 else { return (seconds, metrics) }
    let signals = [SIGINT, SIGTERM, SIGHUP]
    let came = signals.map { Interruption.signalNumber == $0 ? 1.0 : 0 }
    let sums = try ranks.sum([ranks.isFirst ? seconds : 0] + came + metrics.map(\.value))
    if let signal = zip(signals, sums.dropFirst()).first(where: { $1 > 0 })?.0 { stop(signal) }
    return (
      sums[0],
      zip(metrics, sums.dropFirst(1 + signals.count)).map { ($0.name, $1 / Double(ranks.count)) }
    )
  }

  /// How many steps in a row may be left out.
  private static let mostSkips = 10

  /// Counts a step that was left out.
  private func noteSkips(_ trainer: any Trainer, _ metrics: [(name: String, value: Double)]) throws
  {
    let bad = metrics.first { !$0.value.isFinite }
    let isLeftOut = metrics.contains { $0.name == NetworkTraining.skipped }
    guard bad != nil || isLeftOut else {
      skipped.inARow = 0
      return
    }
    skipped = (skipped.all + 1, skipped.inARow + 1)
    let what = bad.map { "the \($0.name) is \($0.value)" } ?? "a gradient is not finite"
    if skipped.inARow == 1 {
      try tell(
        .warned(
          step: position.step,
          sentence: what
            + (isLeftOut
              ? ", so the step was left out and the weights stand as before it"
              : ", though its gradient is finite") + " (\(skipped.all) so far)"))
    }
    guard skipped.inARow >= Self.mostSkips else { return }
    try checkpoint(trainer)
    try collectCheckpoint(waiting: true)
    // A launcher ends all ranks when the first one fails: rank 0 has written by now.
    ranks.meet()
    throw TrainingError(
      path: run.path,
      "\(Self.mostSkips) steps in a row were not finite: at step \(position.step) \(what). The last "
        + "checkpoint is whole. Look for damaged pictures if it began at once, else start another run "
        + "with a lower learning_rate or with gradient_clip.")
  }

  /// Ends the training: writes the last checkpoint and the network for sampling, and measures it.
  public func finish(_ trainer: any Trainer) throws -> [(name: String, value: Double)] {
    try tell(.ended(step: position.step, interrupted: isInterrupted))
    guard ranks.isFirst else { return [] }
    try checkpoint(trainer)
    try collectCheckpoint(waiting: true)
    if !isInterrupted, let best = position.best, best.step != position.step,
      let kept = Checkpoint.all(of: run).first(where: { $0.step == best.step })
    {
      try trainer.load(kept)
    }
    try trainer.export(to: run)
    guard !isInterrupted else { return [] }
    let metrics = try trainer.validate()
    try tell(.validated(step: position.best?.step ?? position.step, metrics: metrics))
    return metrics
  }

  /// Measures held-out pictures and notes whether the network was never better.
  private func measureGoal(_ trainer: any Trainer) throws {
    guard checkpoints.keepsBest, let goal = trainer.goal else { return }
    let metrics = try trainer.validate()
    try tell(.validated(step: position.step, metrics: metrics))
    guard let value = metrics.first(where: { $0.name == goal.measure })?.value, value.isFinite
    else { return }
    if let best = position.best, goal.isLargerBetter ? best.value >= value : best.value <= value {
      return
    }
    position.best = TrainingPosition.Best(step: position.step, value: value)
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
      dataWait: Self.share(waited - reportedWait, of: elapsed),
      metrics: sums.map { ($0.name, $0.value / Double($0.count)) }
        + (skipped.all > 0 ? [("skipped_steps", Double(skipped.all))] : []))
    try tell(.stepped(report))
    for sentence in watch?.warnings(after: report) ?? [] {
      try tell(.warned(step: position.step, sentence: sentence))
    }
    sums = []
    reportStart = (position.seconds, 0)
    reportedWait = waited
  }

  private static func share(_ part: Double, of whole: Double) -> Double {
    min(max(part / max(whole, 1e-9), 0), 1)
  }

  private func drawSheet(_ trainer: any Trainer) throws {
    guard ranks.isFirst else { return }
    let sheet = try trainer.sheet()
    let number = String(position.step)
    let name = "step-" + String(repeating: "0", count: max(0, 8 - number.count)) + number
    let path = "\(run.samplesPath)/\(name).png"
    try sheet.write(to: path)
    try tell(.sampled(step: position.step, path: path, sheet: sheet))
    try tell(.weighed(step: position.step, weights: trainer.weightHistograms))
    if let watch, let samples = try trainer.watchedSamples() {
      let metrics = try watch.measure(samples)
      if !metrics.isEmpty { try tell(.measured(step: position.step, metrics: metrics)) }
    }
    lastTick = .now
  }

  /// Begins a checkpoint of now, unless there is one of this step.
  private func checkpoint(_ trainer: any Trainer) throws {
    try collectCheckpoint(waiting: true)
    lastCheckpoint = .now
    guard ranks.isFirst, keptStep != position.step else { return }
    position.emaUpdates = trainer.emaUpdates
    try measureGoal(trainer)
    var retention = checkpoints.retention
    retention.best = position.best?.step
    let start = ContinuousClock.now
    writer.begin(trainer.checkpointState, position: position, keeping: retention)
    checkpointPause = max(checkpointPause, (.now - start) / .seconds(1))
    keptStep = position.step
    lastTick = .now
  }

  private func collectCheckpoint(waiting: Bool) throws {
    guard let written = try writer.collect(waiting: waiting) else { return }
    try tell(.checkpointed(step: written.step, path: written.path))
    if waiting { lastTick = .now }
  }

  private func tell(_ event: TrainingEvent) throws {
    for observer in observers { try observer.observe(event) }
  }
}
