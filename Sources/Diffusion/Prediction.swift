import Torch

/// What a network predicts about a noisy picture x = α x_0 + σ ε, and the way from it to the others.
public enum Prediction: String, Codable, Sendable, CaseIterable {
  /// The noise ε (Ho et al. 2020).
  case epsilon
  /// The picture x_0.
  case sample
  /// v = α ε − σ x_0, with α² + σ² = 1 (Salimans & Ho 2022, Appendix D).
  case velocity = "v_prediction"
  /// The flow's direction ε − x_0, with α + σ = 1 (Liu et al. 2023; Lipman et al. 2023).
  case flow = "flow_prediction"

  /// What the network should say about `x` and `noise` at a level. Factors are numbers, or tensors
  /// that broadcast over the pictures.
  public func target(_ x: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor {
    switch self {
    case .epsilon: noise
    case .sample: x
    case .velocity: alpha * noise - sigma * x
    case .flow: noise - x
    }
  }

  /// x_0 by the network's word `output` about `x`. Factors are numbers, or tensors that broadcast
  /// over the pictures.
  public func start(_ output: Tensor, from x: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor {
    switch self {
    case .epsilon: (x - sigma * output) / alpha
    case .sample: output
    case .velocity: alpha * x - sigma * output
    case .flow: x - sigma * output
    }
  }

  /// x_0 by the network's word `output` about `x` at a level.
  public func start(_ output: Tensor, from x: Tensor, at level: SignalLevel) -> Tensor {
    func factor(_ value: Double) -> Tensor { .full([], value, dtype: x.dtype, device: x.device) }
    return start(output, from: x, alpha: factor(level.alpha), sigma: factor(level.sigma))
  }

  /// ε by the network's word `output` about `x` at a level.
  public func noise(_ output: Tensor, from x: Tensor, at level: SignalLevel) -> Tensor {
    switch self {
    case .epsilon: output
    case .sample: (x - level.alpha * output) / level.sigma
    case .velocity: level.alpha * output + level.sigma * x
    case .flow: x + level.alpha * output
    }
  }
}

/// How x_0 is held in the range of pictures during sampling.
public enum Clipping: Sendable, Equatable {
  /// As it comes.
  case none
  /// Within ± bound.
  case fixed(Double)
  /// Within ± a quantile of the picture's own magnitudes, at least 1, at most `most`, and scaled
  /// back to ± 1 (Saharia et al. 2022, §2.3).
  case dynamic(quantile: Double, most: Double)

  /// The clipping that a configuration asks for.
  public init(_ config: SchedulerConfig) {
    self =
      config.thresholding
      ? .dynamic(quantile: config.dynamicThresholdingRatio, most: config.sampleMaxValue)
      : config.clipSample ? .fixed(config.clipSampleRange) : .none
  }

  /// `x` `[N, …]` within the range.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .none: return x
    case .fixed(let bound): return x.clamped(min: -bound, max: bound)
    case .dynamic(let quantile, let most):
      let rows = x.flattened(from: 1).to(.float32)
      let bounds = rows.abs().quantile(quantile, 1, keepingDims: true)
        .clamped(min: 1, max: most)
      return (rows.maximum(-bounds).minimum(bounds) / bounds).reshaped(x.shape).to(x.dtype)
    }
  }
}
