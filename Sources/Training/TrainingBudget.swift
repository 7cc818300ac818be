/// How long a training lasts.
public enum TrainingBudget: Codable, Sendable, Equatable {
  /// A number of optimizer steps.
  case steps(Int)
  /// A number of passes over the data.
  case epochs(Int)
  /// A span of training time, in minutes, without the time spent on checkpoints and samples.
  case minutes(Double)

  /// The share that is done, 0 to 1, after `step` steps and `seconds` of training.
  public func progress(step: Int, seconds: Double, stepsPerEpoch: Int) -> Double {
    let share: Double =
      switch self {
      case .steps(let total): Double(step) / Double(max(total, 1))
      case .epochs(let total): Double(step) / max(Double(total) * Double(stepsPerEpoch), 1)
      case .minutes(let total): seconds / max(total * 60, 1e-9)
      }
    return min(max(share, 0), 1)
  }
}
