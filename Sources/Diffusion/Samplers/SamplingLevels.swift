import Interchange

/// Which levels a sampling visits.
public enum SamplingLevels: Sendable, Equatable {
  /// So many, as the configuration spreads them.
  case steps(Int)
  /// These timesteps, descending.
  case timesteps([Int])
  /// These noise levels σ, descending; a final 0 is added where the method ends there.
  case sigmas([Double])

  /// The number of levels asked for.
  public var count: Int {
    switch self {
    case .steps(let count): count
    case .timesteps(let list): list.count
    case .sigmas(let list): list.count
    }
  }

  /// Checks what a person or a file asked for, before a sampler is made of it.
  ///
  /// Throws `SamplerError` for no or too many steps, and for lists that do not descend.
  public func check(trainTimesteps: Int) throws(SamplerError) {
    try Self.checkTraining(trainTimesteps)
    try check(below: trainTimesteps)
  }

  /// The same for a network that knows the timesteps below a limit.
  func check(below limit: Int) throws(SamplerError) {
    guard count >= 1 else { throw SamplerError("a sampling needs at least one step.") }
    switch self {
    case .steps(let count):
      guard count <= limit else {
        throw SamplerError(
          "\(count) steps are more than the \(limit) levels that the network knows.")
      }
    case .timesteps(let list):
      guard list.allSatisfy({ 0 <= $0 && $0 < limit }) else {
        throw SamplerError("timesteps must lie in 0..<\(limit).")
      }
      guard zip(list, list.dropFirst()).allSatisfy(>) else {
        throw SamplerError("timesteps must descend.")
      }
    case .sigmas(let list):
      guard list.allSatisfy({ $0 >= 0 && $0.isFinite }), list[0] > 0 else {
        throw SamplerError("sigmas must be positive numbers.")
      }
      guard zip(list, list.dropFirst()).allSatisfy(>) else {
        throw SamplerError("sigmas must descend.")
      }
    }
  }
}

extension SamplingLevels {
  /// Throws `SamplerError` for a number of training levels that no network has.
  static func checkTraining(_ timesteps: Int) throws(SamplerError) {
    let range = SchedulerConfig.trainTimestepsRange
    guard range ~= timesteps else {
      throw SamplerError(
        "num_train_timesteps is \(timesteps); it must lie in \(range.lowerBound)..."
          + "\(range.upperBound).")
    }
  }
}

/// A sampler that cannot be made of a configuration and what was asked for.
public struct SamplerError: ExplainedError, Equatable {
  /// The scheduler's file, where the error concerns one.
  public let path: String?
  /// What is wrong and what to do, as one sentence.
  public let sentence: String

  /// An error about a file, or about none.
  public init(path: String? = nil, _ sentence: String) {
    self.path = path
    self.sentence = sentence
  }
}
