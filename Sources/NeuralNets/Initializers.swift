import Foundation
import Torch

/// How a parameter's first values are drawn; formulas and order of draws as in `torch.nn.init`.
public enum Initializer: Sendable {
  /// All zero.
  case zeros
  /// All one.
  case ones
  /// Evenly on [low, high).
  case uniform(Double, Double)
  /// Normal.
  case normal(mean: Double = 0, deviation: Double = 1)
  /// Normal, drawn again outside of `low` and `high` (as PyTorch from 2.13 on).
  case truncatedNormal(mean: Double = 0, deviation: Double = 1, low: Double = -2, high: Double = 2)
  /// Glorot & Bengio 2010: variance 2 / (fan in + fan out), uniform.
  case xavierUniform(gain: Double = 1)
  /// Glorot & Bengio 2010: variance 2 / (fan in + fan out), normal.
  case xavierNormal(gain: Double = 1)
  /// He et al. 2015: variance gain² / fan in, uniform; `slope` is the leaky ReLU's that follows.
  case kaimingUniform(slope: Double = 0)
  /// He et al. 2015: variance gain² / fan in, normal; `slope` is the leaky ReLU's that follows.
  case kaimingNormal(slope: Double = 0)
  /// Saxe et al. 2014: rows or columns orthonormal, times `gain`.
  case orthogonal(gain: Double = 1)

  /// A new tensor drawn so; without a generator its memory is left unset, to be loaded.
  ///
  /// Fans follow PyTorch: `shape[1]` and `shape[0]` times the kernel's area.
  public func tensor(_ shape: [Int], using generator: Generator?) -> Tensor {
    let tensor = Tensor.empty(shape)
    if let generator { fill(tensor, using: generator) }
    return tensor
  }

  /// Overwrites a tensor with first values.
  public func fill(_ tensor: Tensor, using generator: Generator) {
    withoutGradients {
      switch self {
      case .zeros: tensor.fill(0)
      case .ones: tensor.fill(1)
      case .uniform(let low, let high): tensor.fillUniform(low, high, using: generator)
      case .normal(let mean, let deviation):
        tensor.fillNormal(mean: mean, deviation: deviation, using: generator)
      case .truncatedNormal(let mean, let deviation, let low, let high):
        fillTruncated(tensor, mean, deviation, low, high, generator)
      case .xavierUniform(let gain):
        let (fanIn, fanOut) = Self.fans(tensor.shape)
        let bound = 3.0.squareRoot() * gain * (2.0 / Double(fanIn + fanOut)).squareRoot()
        tensor.fillUniform(-bound, bound, using: generator)
      case .xavierNormal(let gain):
        let (fanIn, fanOut) = Self.fans(tensor.shape)
        let deviation = gain * (2.0 / Double(fanIn + fanOut)).squareRoot()
        tensor.fillNormal(deviation: deviation, using: generator)
      case .kaimingUniform(let slope):
        let bound = 3.0.squareRoot() * Self.kaimingDeviation(tensor.shape, slope)
        tensor.fillUniform(-bound, bound, using: generator)
      case .kaimingNormal(let slope):
        tensor.fillNormal(
          deviation: Self.kaimingDeviation(tensor.shape, slope), using: generator)
      case .orthogonal(let gain):
        fillOrthogonal(tensor, gain, generator)
      }
    }
  }

  /// The numbers of inputs and outputs that one weight connects.
  static func fans(_ shape: [Int]) -> (fanIn: Int, fanOut: Int) {
    precondition(shape.count >= 2, "a fan needs at least two dimensions, not \(shape)")
    let area = shape.dropFirst(2).reduce(1, *)
    return (shape[1] * area, shape[0] * area)
  }

  private static func kaimingDeviation(_ shape: [Int], _ slope: Double) -> Double {
    (2.0 / (1 + slope * slope)).squareRoot() / Double(fans(shape).fanIn).squareRoot()
  }

  private func fillTruncated(
    _ tensor: Tensor, _ mean: Double, _ deviation: Double, _ low: Double, _ high: Double,
    _ generator: Generator
  ) {
    func cumulative(_ x: Double) -> Double {
      (1 + erf((x - mean) / deviation / 2.0.squareRoot())) / 2
    }
    if cumulative(high) - cumulative(low) > 0.3 {
      fillByRedrawing(tensor, mean, deviation, Float(low), Float(high), generator)
    } else {
      fillByRejection(tensor, mean, deviation, low, high, generator)
    }
  }

  /// Normal draws, again and again for those outside of the bounds.
  private func fillByRedrawing(
    _ tensor: Tensor, _ mean: Double, _ deviation: Double, _ low: Float, _ high: Float,
    _ generator: Generator
  ) {
    tensor.fillNormal(mean: mean, deviation: deviation, using: generator)
    while true {
      let outside = (tensor .< low).logicalOr(tensor .> high)
      if outside.any().intItem() == 0 { return }
      let again = Tensor.zeros(like: tensor)
      again.fillNormal(mean: mean, deviation: deviation, using: generator)
      tensor.copy(from: .select(outside, again, tensor))
    }
  }

  /// Uniform draws between the bounds, kept with a chance of their density over its peak: for
  /// bounds that few normal draws would meet.
  private func fillByRejection(
    _ tensor: Tensor, _ mean: Double, _ deviation: Double, _ low: Double, _ high: Double,
    _ generator: Generator
  ) {
    let peak = Swift.max(low, Swift.min(mean, high))
    let logPeak = -0.5 * ((peak - mean) / deviation) * ((peak - mean) / deviation)
    var pending = Tensor.full(tensor.shape, 1, dtype: .bool)
    while pending.any().intItem() != 0 {
      let candidates = Tensor.zeros(like: tensor)
      candidates.fillUniform(low, high, using: generator)
      tensor.copy(from: .select(pending, candidates, tensor))
      let logDensity = ((candidates - mean) / deviation).square() * -0.5 - logPeak
      let chances = Tensor.zeros(like: tensor)
      chances.fillUniform(0, 1, using: generator)
      pending = pending.logicalAnd(chances.log() .> logDensity)
    }
  }

  private func fillOrthogonal(_ tensor: Tensor, _ gain: Double, _ generator: Generator) {
    let rows = tensor.size(0)
    let columns = tensor.count / max(rows, 1)
    var flat = Tensor.randn([rows, columns], using: generator)
    if rows < columns { flat = flat.transposed() }
    let (q, r) = flat.qr()
    let signed = q * r.diagonal().sign()
    let result = rows < columns ? signed.transposed() : signed
    tensor.copy(from: result.reshaped(tensor.shape))
    tensor.multiply(by: gain)
  }
}

/// PyTorch's default start of linear and convolutional layers: weight and bias uniform on
/// ± 1 / √fan in. Without a generator both stay unset, to be loaded.
func defaultWeightAndBias(
  _ shape: [Int], outputs: Int, bias: Bool, using generator: Generator?
) -> (weight: Parameter, bias: Parameter?) {
  guard let generator else {
    return (Parameter(unset: shape), bias ? Parameter(unset: [outputs]) : nil)
  }
  let weight = Initializer.kaimingUniform(slope: 5.0.squareRoot()).tensor(shape, using: generator)
  guard bias else { return (Parameter(weight), nil) }
  let bound = 1 / Double(Initializer.fans(shape).fanIn).squareRoot()
  let offsets = Initializer.uniform(-bound, bound).tensor([outputs], using: generator)
  return (Parameter(weight), Parameter(offsets))
}
