import Foundation
import Torch

/// The variational bound on −log p(x) of a diffusion model over pictures of 256 values a channel,
/// −1…1, term by term (Ho et al. 2020, eq. 5): L_0 says the picture from x_1, L_{t−1} is the
/// divergence of the model's step from the posterior, L_T that of the last level from pure noise.
///
/// Figures are bits a dimension. Levels count from 0: level 0 gives L_0.
public struct VariationalBound: Sendable {
  private let schedule: NoiseSchedule
  private let prediction: Prediction
  private let variance: VarianceType

  /// A model's bound: what it predicts, and which variance its steps have (`learnedRange`,
  /// `fixedSmall` or `fixedLarge`).
  public init(_ schedule: NoiseSchedule, prediction: Prediction, variance: VarianceType) {
    precondition(
      [.fixedSmall, .fixedLarge, .learnedRange].contains(variance),
      "the bound has no variance \(variance)")
    self.schedule = schedule
    self.prediction = prediction
    self.variance = variance
  }

  /// L of each picture's level, `[N]`, by the network's `output` about x_t made of `x` and `noise`
  /// `[N, C, H, W]`.
  public func terms(_ x: Tensor, noise: Tensor, levels t: [Int], output: Tensor) -> Tensor {
    let device = x.device
    func column(_ value: (Int) -> Double) -> Tensor {  // [N, 1, 1, 1]
      Tensor(t.map { Float(value($0)) }, shape: [t.count, 1, 1, 1]).to(device)
    }
    let channels = x.size(1)
    let said = variance == .learnedRange ? output.narrowed(1, 0, channels) : output
    let levels = TrainingLevels.markov(schedule)
    let noisy = levels.jump(x, noise: noise, to: t)
    let (alpha, sigma) = levels.factors(t, device: device)

    let start = prediction.start(said, from: noisy, alpha: alpha, sigma: sigma)
      .clamped(min: -1, max: 1)
    let (a, b) = (
      column { schedule.posterior($0).startWeight },
      column { schedule.posterior($0).currentWeight }
    )
    let trueMean = a * x + b * noisy
    let mean = a * start + b * noisy
    let trueLog = column(logPosterior)
    let logVariance: Tensor
    switch variance {
    case .learnedRange:  // Eq. 15 of Nichol & Dhariwal 2021
      let share = (output.narrowed(1, channels, channels) + 1) / 2
      logVariance = share * column { log(schedule.betas[$0]) } + (1 - share) * trueLog
    case .fixedLarge:
      logVariance = column { $0 == 0 ? logPosterior(0) : log(schedule.betas[$0]) }
        .expanded(mean.shape)
    default:
      logVariance = trueLog.expanded(mean.shape)
    }

    func bits(_ nats: Tensor) -> Tensor { nats.flattened(from: 1).mean([1]) / log(2.0) }
    let divergence = bits(Self.divergence(trueMean, trueLog, mean, logVariance))
    guard t.contains(0) else { return divergence }
    let decoding = bits(-Self.logLikelihood(x, mean: mean, logVariance: logVariance))
    return Tensor.select(Tensor(t.map { $0 == 0 }).to(device), decoding, divergence)
  }

  /// L_T, `[N]`: what the last level still knows of each picture.
  public func prior(_ x: Tensor) -> Tensor {
    let bar = schedule.alphasCumprod[schedule.count - 1]
    let mean = bar.squareRoot() * x
    let nats = 0.5 * (mean.square() - log(1 - bar) + (1 - bar) - 1)
    return nats.flattened(from: 1).mean([1]) / log(2.0)
  }

  /// log β̃_t; that of the first level, 0 itself, is taken from the second.
  private func logPosterior(_ t: Int) -> Double {
    log(schedule.posterior(max(t, min(1, schedule.count - 1))).variance)
  }

  /// KL(N(m₁, e^l₁) ‖ N(m₂, e^l₂)) of every element, nats.
  static func divergence(_ m1: Tensor, _ l1: Tensor, _ m2: Tensor, _ l2: Tensor) -> Tensor {
    0.5 * (l2 - l1 + (l1 - l2).exp() + (m1 - m2).square() * (-l2).exp() - 1)
  }

  /// log p of every value of `x`, one of 256 in −1…1: the mass of the normal distribution in the
  /// value's bin, the outermost bins open (Ho et al. 2020, eq. 13).
  static func logLikelihood(_ x: Tensor, mean: Tensor, logVariance: Tensor) -> Tensor {
    let inverse = (-0.5 * logVariance).exp()
    func cumulative(_ z: Tensor) -> Tensor { 0.5 * ((z / 2.0.squareRoot()).erf() + 1) }
    let upper = cumulative(inverse * (x - mean + 1.0 / 255))
    let lower = cumulative(inverse * (x - mean - 1.0 / 255))
    let inside = (upper - lower).clamped(min: 1e-12).log()
    let darkest = upper.clamped(min: 1e-12).log()
    let brightest = (1 - lower).clamped(min: 1e-12).log()
    return Tensor.select(
      x .< -0.999, darkest, Tensor.select(x .> 0.999, brightest, inside))
  }
}
