/// The variance of DDPM's reverse step.
public enum VarianceType: String, Codable, Sendable, CaseIterable {
  /// The posterior's, β̃.
  case fixedSmall = "fixed_small"
  /// Its logarithm halved and exponentiated: a standard deviation.
  case fixedSmallLog = "fixed_small_log"
  /// β.
  case fixedLarge = "fixed_large"
  /// The logarithm of β.
  case fixedLargeLog = "fixed_large_log"
  /// The network's second half of channels, as it is.
  case learned
  /// The network's second half of channels, between log β̃ and log β (Nichol & Dhariwal 2021).
  case learnedRange = "learned_range"
}

extension VarianceType {
  /// Whether the network says the variance in a second half of channels.
  public var isLearned: Bool { self == .learned || self == .learnedRange }
}

/// How σ lies between the levels of a sampling.
public enum InterpolationType: String, Codable, Sendable, CaseIterable {
  /// As the schedule has it, linear between its levels.
  case linear
  /// Even in log σ from the schedule's largest to its smallest.
  case logLinear = "log_linear"
}

/// What a network of velocities is told of a level.
public enum TimestepType: String, Codable, Sendable, CaseIterable {
  /// The timestep.
  case discrete
  /// ¼ log σ.
  case continuous
}

/// Where the last step of a sampling ends.
public enum FinalSigmasType: String, Codable, Sendable, CaseIterable {
  /// Without noise.
  case zero
  /// At the smallest level.
  case sigmaMin = "sigma_min"
}

/// The spacing of σ of networks trained as in EDM.
public enum SigmaSchedule: String, Codable, Sendable, CaseIterable {
  /// Even in a power of σ (Karras et al. 2022, eq. 5).
  case karras
  /// Even in log σ.
  case exponential
}

/// How a flow's shift depends on μ (`FlowShift`).
public enum TimeShiftType: String, Codable, Sendable, CaseIterable {
  /// By e^μ.
  case exponential
  /// By μ itself.
  case linear
}
