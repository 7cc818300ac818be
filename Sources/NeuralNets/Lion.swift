import Torch

/// Lion (Chen et al. 2023, Algorithm 2): steps along the sign of an interpolated momentum, with
/// decoupled weight decay.
public final class Lion: Optimizer {
  /// The step size of the next step; three to ten times smaller than Adam's.
  public var learningRate: Double
  /// The parameters that a step changes.
  public let parameters: [Parameter]
  private let betas: (Double, Double)
  private let weightDecay: Double
  private let means: Moments

  /// The paper's defaults.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-4, betas: (Double, Double) = (0.9, 0.99),
    weightDecay: Double = 0
  ) {
    self.parameters = parameters
    self.learningRate = learningRate
    self.betas = betas
    self.weightDecay = weightDecay
    means = Moments("exp_avg", like: parameters)
  }

  /// Takes one step along `factor` times the gradients that are there, then moves `average`.
  public func step(along factor: Double, moving average: ExponentialMovingAverage?) {
    withoutGradients {
      let (places, values, gradients) = withGradient(along: factor)
      for (place, (value, gradient)) in zip(places, zip(values, gradients)) {
        let mean = means.tensors[place]
        let direction = mean.lerp(gradient, 1 - betas.0).sign()
        value.multiply(by: 1 - learningRate * weightDecay)
        value.add(direction, scale: -learningRate)
        mean.lerp(towards: gradient, 1 - betas.1)
      }
    }
    average?.update()
  }

  /// Momenta by name.
  public var state: [(key: String, tensor: Tensor)] { means.state }

  /// Takes over what `state` gave.
  public func load(_ state: [String: Tensor]) throws(StateMismatch) {
    try Moments.load([means], state)
  }
}
