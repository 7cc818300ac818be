import Torch

/// The fixed noising process of a diffusion model: q(x_t | x_{t−1}) = N(√(1−β_t) x_{t−1}, β_t)
/// (Ho et al. 2020, eq. 2). Levels count from 0 here, as in diffusers: level t is the paper's t + 1.
public struct NoiseSchedule: Sendable, Equatable {
  /// β_t, float32 values.
  public let betas: [Double]
  /// ᾱ_t = Π (1 − β_s), float32 values.
  public let alphasCumprod: [Double]

  /// The number of levels, T.
  public var count: Int { betas.count }

  /// A schedule by its βs, `[T]` in (0, 1).
  public init(betas: Tensor) {
    let betas = betas.to(.float32)
    self.betas = betas.elements()
    alphasCumprod = (1 - betas).cumulativeProduct(0).elements()
  }

  /// A course of β from `start` to `end`.
  public init(
    _ course: BetaSchedule = .linear, count: Int = 1000, start: Double = 0.0001, end: Double = 0.02
  ) {
    self.init(betas: course.betas(count: count, start: start, end: end))
  }

  /// The schedule of a scheduler's configuration.
  public init(_ config: SchedulerConfig) {
    let betas =
      config.trainedBetas.map { Tensor($0.map { Float($0) }) }
      ?? config.betaSchedule.betas(
        count: config.numTrainTimesteps, start: config.betaStart, end: config.betaEnd)
    self.init(betas: config.rescaleBetasZeroSnr ? Self.zeroTerminalSNR(betas) : betas)
  }

  /// βs scaled so that the last level keeps nothing of the picture (Lin et al. 2024, Algorithm 1).
  public static func zeroTerminalSNR(_ betas: Tensor) -> Tensor {
    var roots = (1 - betas).cumulativeProduct(0).sqrt()
    let (first, last) = (roots[0], roots[roots.size(0) - 1])
    roots = (roots - last) * (first / (first - last))
    let bars = roots.square()
    let count = bars.size(0)
    let alphas = Tensor.concatenated([bars[0..<1], bars[1..<count] / bars[0..<count - 1]])
    return 1 - alphas
  }

  /// √ᾱ_t and √(1 − ᾱ_t), what the picture and the noise are multiplied by.
  public func level(_ t: Int) -> SignalLevel { SignalLevel(alphaCumprod: alphasCumprod[t]) }

  /// ᾱ_t; below the first level, `final`.
  func alphaCumprod(_ t: Int, final: Double = 1) -> Double { t < 0 ? final : alphasCumprod[t] }

  /// ᾱ of the level below the first: 1 or, where a configuration says so, the first's own.
  func finalAlphaCumprod(_ config: SchedulerConfig) -> Double {
    config.setAlphaToOne ? 1 : alphasCumprod[0]
  }

  /// `jump` of every picture to the same level.
  func jump(_ x: Tensor, noise: Tensor, to level: Int) -> Tensor {
    jump(x, noise: noise, to: Array(repeating: level, count: x.size(0)))
  }

  /// x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε in one jump (Ho et al. 2020, eq. 4): `x` and `noise`
  /// `[N, C, H, W]`, a level for each.
  public func jump(_ x: Tensor, noise: Tensor, to levels: [Int]) -> Tensor {
    precondition(levels.count == x.size(0), "a level for each picture")
    let shape = [levels.count] + Array(repeating: 1, count: x.rank - 1)
    let bars = Tensor(levels.map { Float(alphasCumprod[$0]) }, shape: shape).to(x.device)
    return bars.sqrt() * x + (1 - bars).sqrt() * noise
  }

  /// One step of the Markov chain, q(x_t | x_{t−1}): what the last picture is multiplied by, and
  /// the variance of the noise (eq. 2).
  public func kernel(_ t: Int) -> (scale: Double, variance: Double) {
    ((1 - betas[t]).squareRoot(), betas[t])
  }

  /// q(x_{t−1} | x_t, x_0): the weights of x_0 and x_t in the mean, and the variance β̃_t
  /// (eqs. 6 and 7).
  public func posterior(_ t: Int) -> Posterior {
    let bar = alphasCumprod[t]
    let previous = t > 0 ? alphasCumprod[t - 1] : 1
    return Posterior(
      startWeight: previous.squareRoot() * betas[t] / (1 - bar),
      currentWeight: (1 - betas[t]).squareRoot() * (1 - previous) / (1 - bar),
      variance: (1 - previous) / (1 - bar) * betas[t])
  }

  /// σ_t = √((1 − ᾱ_t) / ᾱ_t), the noise beside a picture of full strength.
  public var sigmas: [Double] {
    alphasCumprod.map { ((1 - $0) / $0).squareRoot() }
  }
}

/// How much picture and how much noise a noisy picture holds: x = alpha · x_0 + sigma · ε.
public struct SignalLevel: Sendable, Equatable {
  /// The picture's factor.
  public var alpha: Double
  /// The noise's factor.
  public var sigma: Double

  /// Both factors.
  public init(alpha: Double, sigma: Double) {
    self.alpha = alpha
    self.sigma = sigma
  }

  /// √ᾱ and √(1 − ᾱ).
  init(alphaCumprod: Double) {
    self.init(alpha: alphaCumprod.squareRoot(), sigma: (1 - alphaCumprod).squareRoot())
  }

  /// The signal-to-noise ratio α² / σ².
  public var signalToNoise: Double { (alpha / sigma) * (alpha / sigma) }

  /// alpha · x + sigma · noise.
  func mix(_ x: Tensor, _ noise: Tensor) -> Tensor { alpha * x + sigma * noise }
}

/// A normal distribution of x_{t−1} whose mean is a mixture of x_0 and x_t.
public struct Posterior: Sendable, Equatable {
  /// The weight of x_0 in the mean.
  public var startWeight: Double
  /// The weight of x_t in the mean.
  public var currentWeight: Double
  /// β̃_t.
  public var variance: Double
}
