import Torch

/// RMSprop (Tieleman & Hinton 2012): steps divided by a running root mean square of gradients.
public final class RMSprop: Optimizer {
  /// The step size of the next step.
  public var learningRate: Double
  /// The parameters that a step changes.
  public let parameters: [Parameter]
  private let alpha: Double
  private let eps: Double
  private let weightDecay: Double
  private let momentum: Double
  private let squares: Moments
  private let momenta: Moments

  /// PyTorch's defaults.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-2, alpha: Double = 0.99,
    eps: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0
  ) {
    self.parameters = parameters
    self.learningRate = learningRate
    self.alpha = alpha
    self.eps = eps
    self.weightDecay = weightDecay
    self.momentum = momentum
    squares = Moments("square_avg", like: parameters)
    momenta = Moments("momentum_buffer", like: momentum > 0 ? parameters : [])
  }

  /// Takes one step along `factor` times the gradients that are there, then moves `average`.
  public func step(along factor: Double, moving average: ExponentialMovingAverage?) {
    withoutGradients {
      let (places, values, gradients) = withGradient(along: factor)
      for (place, (value, raw)) in zip(places, zip(values, gradients)) {
        let gradient = weightDecay == 0 ? raw : raw + weightDecay * value
        let square = squares.tensors[place]
        square.multiply(by: alpha)
        square.addProduct(gradient, gradient, value: 1 - alpha)
        let root = square.sqrt() + eps
        if momentum > 0 {
          let buffer = momenta.tensors[place]
          buffer.multiply(by: momentum)
          buffer.addQuotient(gradient, root)
          value.add(buffer, scale: -learningRate)
        } else {
          value.addQuotient(gradient, root, value: -learningRate)
        }
      }
    }
    average?.update()
  }

  /// Squares and momenta by name.
  public var state: [(key: String, tensor: Tensor)] { squares.state + momenta.state }

  /// Takes over what `state` gave.
  public func load(_ state: [String: Tensor]) throws(StateMismatch) {
    try Moments.load([squares, momenta], state)
  }
}
