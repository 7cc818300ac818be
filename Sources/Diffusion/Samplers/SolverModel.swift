import Torch

/// What a solver makes of the network's word before it uses it.
struct SolverModel: Sendable {
  /// Which function the solver integrates.
  enum Quantity: Sendable {
    /// The picture x_0.
    case data
    /// The noise ε.
    case noise
  }

  /// The word as the solver integrates it, and the picture that it means.
  struct Word {
    let value: Tensor
    let denoised: Tensor
  }

  let quantity: Quantity
  private let prediction: Prediction
  private let clipping: Clipping
  private let isLearned: Bool

  /// Throws `SamplerError` for a prediction that the method cannot do.
  init(
    _ config: SchedulerConfig, as quantity: Quantity, clips: Bool = true, for name: String
  ) throws(SamplerError) {
    // A flow's direction means x_0 only where α + σ = 1.
    if config.useFlowSigmas {
      try config.requirePrediction(.epsilon, .sample, .velocity, .flow, for: name)
    } else if config.predictionType == .flow {
      throw SamplerError("\(name) needs use_flow_sigmas for a flow_prediction.")
    }
    self.quantity = quantity
    prediction = config.predictionType
    clipping = clips ? Clipping(config) : .none
    isLearned = config.varianceType?.isLearned ?? false
  }

  /// The network's `output` about `x` `[N, C, …]`, whose channels a learned variance doubles.
  func callAsFunction(_ output: Tensor, from x: Tensor, at level: SignalLevel) -> Word {
    let channels = x.size(1)
    let said =
      isLearned && output.size(1) == 2 * channels ? output.narrowed(1, 0, channels) : output
    let start = clipping(prediction.start(said, from: x, at: level))
    switch quantity {
    case .data:
      return Word(value: start, denoised: start)
    case .noise where clipping == .none:
      return Word(value: prediction.noise(said, from: x, at: level), denoised: start)
    case .noise:
      return Word(value: (x - level.alpha * start) / level.sigma, denoised: start)
    }
  }
}
