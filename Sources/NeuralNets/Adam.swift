import Torch

/// Adam (Kingma & Ba 2015, Algorithm 1); AdamW (Loshchilov & Hutter 2019, Algorithm 2) when the
/// weight decay is decoupled from the gradient.
public final class Adam: Optimizer {
  /// The step size of the next step.
  public var learningRate: Double
  /// The parameters that a step changes.
  public let parameters: [Parameter]
  private let betas: (Double, Double)
  private let eps: Double
  private let weightDecay: Double
  private let decoupled: Bool
  private let means: Moments
  private let squares: Moments
  private let steps: Moments

  /// PyTorch's defaults; AdamW's own default decay is 0.01.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999),
    eps: Double = 1e-8, weightDecay: Double = 0, decoupled: Bool = false
  ) {
    self.parameters = parameters
    self.learningRate = learningRate
    self.betas = betas
    self.eps = eps
    self.weightDecay = weightDecay
    self.decoupled = decoupled
    means = Moments("exp_avg", like: parameters)
    squares = Moments("exp_avg_sq", like: parameters)
    steps = Moments(counts: "step", like: parameters)
  }

  /// Takes one step along `factor` times the gradients that are there, and moves `average` in the
  /// same pass.
  public func step(along factor: Double, moving average: ExponentialMovingAverage?) {
    withoutGradients {
      let (places, values, gradients) = withGradient(along: 1)
      let counts = steps.at(places)
      counts.addAll(1)
      func take(_ averages: [Tensor], _ share: Double) {
        FusedStep.adam(
          parameters: values, gradients: gradients, means: means.at(places),
          squares: squares.at(places), steps: counts, rate: learningRate, betas: betas,
          weightDecay: weightDecay, eps: eps, decoupled: decoupled, factor: factor,
          averages: averages, averageShare: share)
      }
      guard let average else { return take([], 0) }
      average.update(besides: places.map { parameters[$0] }, step: take)
    }
  }

  /// Moments and counts by name.
  public var state: [(key: String, tensor: Tensor)] { means.state + squares.state + steps.state }

  /// Takes over what `state` gave.
  public func load(_ state: [String: Tensor]) throws(StateMismatch) {
    try Moments.load([means, squares, steps], state)
  }
}
