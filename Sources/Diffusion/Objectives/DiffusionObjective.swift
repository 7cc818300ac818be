import Torch

/// How far a prediction is from its target.
public enum ErrorMeasure: String, Codable, Sendable, CaseIterable {
  /// The squared error.
  case mse
  /// The absolute error.
  case l1
  /// Squared below 1, absolute above (Huber 1964).
  case huber

  /// The error of every element.
  func callAsFunction(_ output: Tensor, _ target: Tensor) -> Tensor {
    switch self {
    case .mse: output.meanSquaredError(target, reduction: .none)
    case .l1: output.absoluteError(target, reduction: .none)
    case .huber: output.huberLoss(target, reduction: .none)
    }
  }
}

/// What a diffusion model is trained to do: see what was added to a picture (Ho et al. 2020,
/// Algorithm 1), or what else its `prediction` names.
public struct DiffusionObjective: Sendable {
  /// The levels of noise that training draws from.
  public let levels: TrainingLevels
  /// What the network predicts.
  public let prediction: Prediction
  /// How errors count.
  public let error: ErrorMeasure
  /// γ of Min-SNR weighting (Hang et al. 2023); `nil`: every level counts alike.
  public let minSNRGamma: Double?
  /// The strength of noise that is the same for all pixels of a channel.
  public let offsetNoise: Double
  /// The weight of the variational bound, from which the network's variance is learned
  /// (Nichol & Dhariwal 2021, eq. 16); `nil`: no variance is learned.
  public let boundWeight: Double?

  /// An objective. `minSNRGamma` and `boundWeight` belong to Markov levels.
  public init(
    _ levels: TrainingLevels, prediction: Prediction = .epsilon, error: ErrorMeasure = .mse,
    minSNRGamma: Double? = nil, offsetNoise: Double = 0, boundWeight: Double? = nil
  ) {
    self.levels = levels
    self.prediction = prediction
    self.error = error
    self.minSNRGamma = minSNRGamma
    self.offsetNoise = offsetNoise
    self.boundWeight = boundWeight
  }

  /// A uniform level for each of `x` `[N, C, H, W]`, then its noise; with `count`, for so many
  /// pictures of that size.
  public func draw(
    for x: Tensor, count: Int? = nil, using generator: Generator
  ) -> (levels: [Int], noise: Tensor) {
    let count = count ?? x.size(0)
    let drawn = Tensor.randint(0..<levels.count, [count], using: generator)
    var noise = Tensor.randn([count] + x.shape.dropFirst(), using: generator)
    if offsetNoise > 0 {
      noise = noise + offsetNoise * Tensor.randn([count, x.size(1), 1, 1], using: generator)
    }
    return (drawn.elements(as: Int.self), noise.to(x.device))
  }

  /// The loss of each picture, `[N]`: `network` is shown x_t `[N, C, H, W]` and told its level
  /// `[N]`.
  public func losses(
    _ x: Tensor, noise: Tensor, levels t: [Int], network: (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    let output = network(
      levels.jump(x, noise: noise, to: t), levels.told(t, device: x.device))
    let channels = x.size(1)
    let said = boundWeight == nil ? output : output.narrowed(1, 0, channels)
    let (alpha, sigma) = levels.factors(t, device: x.device)  // [N, 1, 1, 1]
    let target = prediction.target(x, noise: noise, alpha: alpha, sigma: sigma)
    var losses = error(said, target).flattened(from: 1).mean([1])
    if let minSNRGamma { losses = losses * weights(t, gamma: minSNRGamma).to(x.device) }
    guard let boundWeight, case .markov(let schedule) = levels else { return losses }
    // The bound teaches the variance alone: it sees the mean as it is.
    let frozen = Tensor.concatenated(
      [said.detached(), output.narrowed(1, channels, channels)], 1)
    let bound = VariationalBound(schedule, prediction: prediction, variance: .learnedRange)
    let term = bound.terms(x, noise: noise, levels: t, output: frozen)
    return losses + boundWeight * Double(schedule.count) * term
  }

  /// What Min-SNR weighting makes of the plain error at each level: the weight of the error of x_0
  /// is min(SNR, γ), and that of the others follows from it (Hang et al. 2023, §3.4).
  private func weights(_ t: [Int], gamma: Double) -> Tensor {
    Tensor(
      t.map { t in
        let snr = levels.level(t).signalToNoise
        let least = min(snr, gamma)
        switch prediction {
        case .epsilon: return Float(least / snr)
        case .velocity: return Float(least / (snr + 1))
        case .sample, .flow: return Float(least)
        }
      })
  }
}

/// The levels of noise of a training, x = α x_0 + σ ε, numbered from 0.
public enum TrainingLevels: Sendable, Equatable {
  /// Those of a Markov chain; the network is told t.
  case markov(NoiseSchedule)
  /// The straight line from picture to noise of rectified flow, σ = (t + 1) / T and α = 1 − σ; the
  /// network is told T·σ (Liu et al. 2023).
  case flow(count: Int)

  /// T.
  public var count: Int {
    switch self {
    case .markov(let schedule): schedule.count
    case .flow(let count): count
    }
  }

  /// α and σ of one level.
  public func level(_ t: Int) -> SignalLevel {
    switch self {
    case .markov(let schedule): return schedule.level(t)
    case .flow(let count):
      let sigma = Double(t + 1) / Double(count)
      return SignalLevel(alpha: 1 - sigma, sigma: sigma)
    }
  }

  /// α and σ of several levels, `[N, 1, 1, 1]` each.
  public func factors(_ t: [Int], device: Device = .cpu) -> (alpha: Tensor, sigma: Tensor) {
    let levels = t.map(level)
    func column(_ values: [Double]) -> Tensor {
      Tensor(values.map { Float($0) }, shape: [values.count, 1, 1, 1]).to(device)
    }
    return (column(levels.map(\.alpha)), column(levels.map(\.sigma)))
  }

  /// x_t = α x_0 + σ ε in one jump: `x` and `noise` `[N, C, H, W]`, a level for each.
  public func jump(_ x: Tensor, noise: Tensor, to t: [Int]) -> Tensor {
    let (alpha, sigma) = factors(t, device: x.device)
    return alpha * x + sigma * noise
  }

  /// What the network is told of several levels, float32 `[N]`.
  public func told(_ t: [Int], device: Device = .cpu) -> Tensor {
    switch self {
    case .markov: Tensor(t.map { Float($0) }).to(device)
    case .flow: Tensor(t.map { Float($0 + 1) }).to(device)
    }
  }
}
