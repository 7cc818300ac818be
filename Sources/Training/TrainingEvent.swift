import Images
import Interchange
import Torch

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
  /// The share of these steps' time that went with waiting for data, 0 to 1.
  public let dataWait: Double
  /// What was measured, by name, in a fixed order.
  public let metrics: [(name: String, value: Double)]
}

/// What happens during a training, for whoever looks on.
public enum TrainingEvent: Sendable {
  /// Some steps are done.
  case stepped(StepReport)
  /// The network was measured on held-out pictures.
  case validated(step: Int, metrics: [(name: String, value: Double)])
  /// New samples were measured while the training goes on.
  case measured(step: Int, metrics: [(name: String, value: Double)])
  /// Something goes wrong; what, and what to do, for a person.
  case warned(step: Int, sentence: String)
  /// A sheet of pictures was drawn.
  case sampled(step: Int, path: String, sheet: Image)
  /// How the weights of every network are spread, by key, when a sheet was drawn.
  case weighed(step: Int, weights: [(name: String, histogram: Histogram)])
  /// A checkpoint was written.
  case checkpointed(step: Int, path: String)
  /// The training ended, after so many steps, at its budget or interrupted.
  case ended(step: Int, interrupted: Bool)
}

/// Someone who measures samples while a model is trained, and says when something goes wrong.
public protocol TrainingWatch: AnyObject {
  /// Measures of new samples: pictures `[N, C, H, W]` in [0, 1] or points `[N, 2]`.
  func measure(_ samples: Tensor) throws -> [(name: String, value: Double)]
  /// What is wrong by what was measured last, in sentences that say what to do.
  ///
  /// `report`: the mean over the last steps. Called after every report.
  func warnings(after report: StepReport) -> [String]
}

/// Someone who looks on.
public protocol TrainingObserver: AnyObject {
  /// Called on the training's thread; what it throws ends the training.
  func observe(_ event: TrainingEvent) throws
}
