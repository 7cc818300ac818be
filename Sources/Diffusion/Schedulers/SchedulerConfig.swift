import Interchange

/// Every setting of every scheduler class of diffusers, by the names of `scheduler_config.json`.
///
/// A class knows only some of them (`SchedulerClass.keys`) and starts from defaults of its own
/// (`SchedulerClass.defaults`); the values here are the common ones.
public struct SchedulerConfig: Codable, Sendable, Equatable {
  // The noise schedule.
  /// T, the number of noise levels in training.
  public var numTrainTimesteps = 1000
  /// β of the first level.
  public var betaStart = 0.0001
  /// β of the last level.
  public var betaEnd = 0.02
  /// The course of β between them.
  public var betaSchedule = BetaSchedule.linear
  /// β of every level, instead of start, end and course.
  public var trainedBetas: [Double]?
  /// Whether the schedule is rescaled so that the last level is pure noise.
  public var rescaleBetasZeroSnr = false

  // What the network says, and how far it is believed.
  /// What the network predicts.
  public var predictionType = Prediction.epsilon
  /// Whether x₀ is held within ± `clipSampleRange`.
  public var clipSample = false
  /// The bound of x₀.
  public var clipSampleRange = 1.0
  /// Whether x₀ is held within a quantile of its own (dynamic thresholding).
  public var thresholding = false
  /// The quantile.
  public var dynamicThresholdingRatio = 0.995
  /// The largest bound that the quantile may give.
  public var sampleMaxValue = 1.0
  /// The variance of the reverse step, or that it is learned.
  public var varianceType: VarianceType?

  // Which levels a sampling visits.
  /// How a few timesteps are spread over all.
  public var timestepSpacing = TimestepSpacing.linspace
  /// Added to the timesteps of leading spacing.
  public var stepsOffset = 0
  /// Whether the level below the first is free of noise; otherwise it is the first itself.
  public var setAlphaToOne = true
  /// PNDM: whether the Runge–Kutta steps at the beginning are left out.
  public var skipPrkSteps = false
  /// σ between levels.
  public var interpolationType = InterpolationType.linear
  /// σ spaced as in Karras et al. 2022.
  public var useKarrasSigmas = false
  /// σ spaced evenly in log σ.
  public var useExponentialSigmas = false
  /// σ spaced by quantiles of a Beta distribution.
  public var useBetaSigmas = false
  /// σ spaced evenly in λ = log(α/σ) (Lu et al. 2022).
  public var useLuLambdas = false
  /// σ of rectified flow.
  public var useFlowSigmas = false
  /// The smallest σ; `nil`: the schedule's own.
  public var sigmaMin: Double?
  /// The largest σ; `nil`: the schedule's own.
  public var sigmaMax: Double?
  /// What the network is told of a level.
  public var timestepType = TimestepType.discrete
  /// Where the last step ends.
  public var finalSigmasType = FinalSigmasType.zero

  // Multistep solvers.
  /// The order of the solver.
  public var solverOrder = 2
  /// Which equation is solved: `dpmsolver++`, `sde-dpmsolver++`, `deis`, `data_prediction`, …
  public var algorithmType = "dpmsolver++"
  /// The second-order rule: `midpoint`, `heun`, `bh1`, `bh2`, `logrho`.
  public var solverType = "midpoint"
  /// Whether the last steps use lower orders.
  public var lowerOrderFinal = true
  /// Whether the last step is Euler's.
  public var eulerAtFinal = false
  /// λ below which levels are left out.
  public var lambdaMinClipped = -Double.infinity
  /// UniPC: whether the solver works on x₀.
  public var predictX0 = true
  /// UniPC: steps after which the corrector rests.
  public var disableCorrector: [Int] = []
  /// SA-Solver: the predictor's order.
  public var predictorOrder = 2
  /// SA-Solver: the corrector's order.
  public var correctorOrder = 2

  // Distilled models.
  /// LCM and TCD: the steps of the teacher.
  public var originalInferenceSteps = 50
  /// LCM: what timesteps are multiplied by in the boundary condition.
  public var timestepScaling = 10.0

  // EDM and consistency models.
  /// The deviation of the data.
  public var sigmaData = 0.5
  /// The spacing of σ.
  public var sigmaSchedule = SigmaSchedule.karras
  /// The exponent of Karras spacing.
  public var rho = 7.0
  /// What added noise is multiplied by.
  public var sNoise = 1.0
  /// Whether x₀ is held within ± 1.
  public var clipDenoised = true

  // Flow matching.
  /// The shift of σ of the flow-match classes.
  public var shift = 1.0
  /// The shift of σ of the classes with `useFlowSigmas`.
  public var flowShift = 1.0
  /// Whether the shift depends on the picture's size (`mu` is then needed).
  public var useDynamicShifting = false
  /// The shift of small pictures.
  public var baseShift: Double? = 0.5
  /// The shift of large pictures.
  public var maxShift: Double? = 1.15
  /// What counts as small.
  public var baseImageSeqLen: Int? = 256
  /// What counts as large.
  public var maxImageSeqLen: Int? = 4096
  /// The σ that the shifted schedule is stretched to end at.
  public var shiftTerminal: Double?
  /// Whether σ runs upwards.
  public var invertSigmas = false
  /// Whether fresh noise is added at every step.
  public var stochasticSampling = false
  /// The dynamic shift's course.
  public var timeShiftType = TimeShiftType.exponential

  /// The common values.
  public init() {}
}

// MARK: - What a sampler asks of its configuration

extension SchedulerConfig {
  /// Throws `SamplerError` unless the network predicts one of these.
  func requirePrediction(_ kinds: Prediction..., for name: String) throws(SamplerError) {
    guard kinds.contains(predictionType) else {
      throw SamplerError(
        "\(name) cannot use a network whose prediction_type is \(predictionType.rawValue); it takes "
          + kinds.map(\.rawValue).joined(separator: ", ") + ".")
    }
  }

  /// Throws `SamplerError` when an offset carries a timestep out of the schedule.
  func requireLevels(_ levels: [Int]) throws(SamplerError) {
    guard levels.allSatisfy((0..<numTrainTimesteps).contains) else {
      throw SamplerError(
        "a steps_offset of \(stepsOffset) carries timesteps out of 0..<\(numTrainTimesteps); "
          + "use fewer steps or another offset.")
    }
  }

  /// The timesteps of a request, descending: spread by `timestepSpacing`, or as they are listed.
  ///
  /// Throws `SamplerError` for sigmas and for timesteps out of the schedule.
  func timesteps(
    _ request: SamplingLevels, for name: String
  ) throws(SamplerError) -> [Int] {
    try request.check(trainTimesteps: numTrainTimesteps)
    let levels: [Int]
    switch request {
    case .steps(let count):
      levels = timestepSpacing.timesteps(count, of: numTrainTimesteps, offset: stepsOffset)
    case .timesteps(let list): levels = list
    case .sigmas: throw SamplerError("\(name) takes timesteps, not sigmas.")
    }
    try requireLevels(levels)
    return levels
  }

  /// The number of steps of a request, where nothing else is possible.
  ///
  /// Throws `SamplerError` for a list of timesteps or sigmas.
  func stepCount(_ request: SamplingLevels, for name: String) throws(SamplerError) -> Int {
    try request.check(trainTimesteps: numTrainTimesteps)
    guard case .steps(let count) = request else {
      throw SamplerError("\(name) takes a number of steps, not a list of levels.")
    }
    return count
  }

  /// The timesteps of a distilled model's request: some of those that its teacher visited, which
  /// are every T/`originalInferenceSteps`-th, or as they are listed (Luo et al. 2023, §4.3).
  ///
  /// Throws `SamplerError` for more steps than the teacher's, and for sigmas.
  func distilledTimesteps(
    _ request: SamplingLevels, for name: String
  ) throws(SamplerError) -> [Int] {
    guard case .steps(let count) = request else { return try timesteps(request, for: name) }
    try request.check(trainTimesteps: numTrainTimesteps)
    guard (1...numTrainTimesteps).contains(originalInferenceSteps) else {
      throw SamplerError(
        "original_inference_steps is \(originalInferenceSteps); it must lie in "
          + "1...\(numTrainTimesteps).")
    }
    guard count <= originalInferenceSteps else {
      throw SamplerError(
        "\(name) can take at most the \(originalInferenceSteps) steps of its teacher, not \(count)."
      )
    }
    let gap = numTrainTimesteps / originalInferenceSteps
    let stride = Double(originalInferenceSteps) / Double(count)
    return (0..<count).map { (originalInferenceSteps - Int(Double($0) * stride)) * gap - 1 }
  }
}
