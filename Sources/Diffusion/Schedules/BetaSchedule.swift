import Foundation
import Torch

/// The course of β_t over the noise levels.
public enum BetaSchedule: String, Codable, Sendable, CaseIterable {
  /// β even from start to end (Ho et al. 2020).
  case linear
  /// √β even from √start to √end (Rombach et al. 2022).
  case scaledLinear = "scaled_linear"
  /// ᾱ_t = cos²(π/2 · (t/T + 0.008) / 1.008), β at most 0.999 (Nichol & Dhariwal 2021, eq. 17).
  case cosine = "squaredcos_cap_v2"
  /// β along a logistic curve from −6 to 6.
  case sigmoid
  /// ᾱ_t = e^(−12 t/T).
  case exponential = "exp"
  /// The signal-to-noise ratio of the Laplace schedule (Hang & Gu 2024).
  case laplace

  /// β_1 … β_T in the arithmetic of diffusers: float32 where it uses tensors, doubles where Python
  /// computes.
  public func betas(count: Int, start: Double, end: Double) -> Tensor {
    switch self {
    case .linear:
      return .linspace(start, end, steps: count)
    case .scaledLinear:
      return Tensor.linspace(start.squareRoot(), end.squareRoot(), steps: count).square()
    case .cosine:
      return Self.betas(count) { pow(cos(($0 + 0.008) / 1.008 * .pi / 2), 2) }
    case .exponential:
      return Self.betas(count) { exp($0 * -12) }
    case .laplace:
      return Self.betas(count) { t in
        let sign = t > 0.5 ? -1.0 : 1.0
        let lambda = -0.5 * sign * log(1 - 2 * abs(0.5 - t) + 1e-6)
        let snr = exp(lambda)
        return (snr / (1 + snr)).squareRoot()
      }
    case .sigmoid:
      return Tensor.linspace(-6, 6, steps: count).sigmoid() * (end - start) + start
    }
  }

  /// β_i = 1 − ᾱ((i + 1)/T) / ᾱ(i/T), at most 0.999.
  private static func betas(_ count: Int, alphaBar: (Double) -> Double) -> Tensor {
    Tensor(
      (0..<count).map { i in
        let (t1, t2) = (Double(i) / Double(count), Double(i + 1) / Double(count))
        return Float(min(1 - alphaBar(t2) / alphaBar(t1), 0.999))
      })
  }
}
