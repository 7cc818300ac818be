import Images

/// The mean of what was measured over some steps.
public struct StepReport: Sendable {
  /// Steps done since the training began.
  public let step: Int
  /// The pass over the data, from 0.
  public let epoch: Int
  /// The share of the budget that is done, 0 to 1.
  public let progress: Double
  /// Seconds of training since it began.
  public let seconds: Double
  /// Pictures a second, over these steps.
  public let rate: Double
  /// What was measured, by name, in a fixed order.
  public let metrics: [(name: String, value: Double)]
}

/// What happens during a training, for whoever looks on.
public enum TrainingEvent: Sendable {
  /// Some steps are done.
  case stepped(StepReport)
  /// The network was measured on held-out pictures.
  case validated(step: Int, metrics: [(name: String, value: Double)])
  /// A sheet of pictures was drawn.
  case sampled(step: Int, path: String, sheet: Image)
  /// A checkpoint was written.
  case checkpointed(step: Int, path: String)
  /// The training ended, after so many steps, at its budget or interrupted.
  case ended(step: Int, interrupted: Bool)
}

/// Someone who looks on.
public protocol TrainingObserver: AnyObject {
  /// Called on the training's thread; what it throws ends the training.
  func observe(_ event: TrainingEvent) throws
}
