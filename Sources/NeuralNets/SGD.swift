import Torch

/// Stochastic gradient descent with momentum (Sutskever et al. 2013, in PyTorch's form).
public final class SGD: Optimizer {
  /// The step size of the next step.
  public var learningRate: Double
  /// The parameters that a step changes.
  public let parameters: [Parameter]
  private let momentum: Double
  private let weightDecay: Double
  private let nesterov: Bool
  private let momenta: Moments
  private let steps: Moments

  /// Plain descent unless `momentum` is set.
  public init(
    _ parameters: [Parameter], learningRate: Double, momentum: Double = 0, weightDecay: Double = 0,
    nesterov: Bool = false
  ) {
    precondition(!nesterov || momentum > 0, "Nesterov's form needs a momentum")
    self.parameters = parameters
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
    momenta = Moments("momentum_buffer", like: momentum > 0 ? parameters : [])
    steps = Moments(counts: "step", like: parameters)
  }

  /// Takes one step along `factor` times the gradients that are there, then moves `average`.
  public func step(along factor: Double, moving average: ExponentialMovingAverage?) {
    withoutGradients {
      // The first step of a parameter starts its momentum with the gradient itself. Momenta begin
      // at zero and dampening is zero, so that the general rule does just that.
      let (places, values, gradients) = withGradient(along: factor)
      steps.at(places).addAll(1)
      FusedStep.sgd(
        parameters: values, gradients: gradients,
        momenta: momentum > 0 ? momenta.at(places) : [], rate: learningRate, momentum: momentum,
        weightDecay: weightDecay, dampening: 0, nesterov: nesterov, isFirst: false)
    }
    average?.update()
  }

  /// Momenta and counts by name.
  public var state: [(key: String, tensor: Tensor)] { momenta.state + steps.state }

  /// Takes over what `state` gave.
  public func load(_ state: [String: Tensor]) throws(StateMismatch) {
    try Moments.load([momenta, steps], state)
  }
}
