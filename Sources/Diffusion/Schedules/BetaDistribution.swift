import Foundation

/// The Beta distribution: density x^(a−1) (1−x)^(b−1) / B(a, b) on [0, 1].
struct BetaDistribution {
  let a: Double
  let b: Double

  /// log B(a, b).
  private var logBeta: Double { log(tgamma(a)) + log(tgamma(b)) - log(tgamma(a + b)) }

  /// The x below which a share `p` lies.
  ///
  /// Newton's method on the logit u of x, where dF/du = x^a (1−x)^b / B, held in a bracket that
  /// every evaluation narrows.
  func quantile(_ p: Double) -> Double {
    if p <= 0 { return 0 }
    if p >= 1 { return 1 }
    var (low, high) = (-700.0, 700.0)
    var u = 0.0
    for _ in 0..<200 {
      let (x, y) = (1 / (1 + exp(-u)), 1 / (1 + exp(u)))
      let excess = cumulative(x, complement: y) - p
      if excess > 0 { high = u } else { low = u }
      let newton = u - excess / exp(a * log(x) + b * log(y) - logBeta)
      let next = low < newton && newton < high ? newton : (low + high) / 2
      if abs(next - u) <= 1e-15 * max(1, abs(u)) { break }
      u = next
    }
    return 1 / (1 + exp(-u))
  }

  /// I_x(a, b), the share below x; `complement` is 1 − x.
  func cumulative(_ x: Double, complement y: Double) -> Double {
    x <= 0.5 ? lowerTail(x, y) : 1 - BetaDistribution(a: b, b: a).lowerTail(y, x)
  }

  /// x^a (1−x)^b / (a B(a, b)) · Σ_n (a+b)_n / (a+1)_n xⁿ (DLMF 8.17.8), quick for x ≤ ½.
  private func lowerTail(_ x: Double, _ y: Double) -> Double {
    var (term, sum, n) = (1.0, 1.0, 0.0)
    while term > 1e-17 * sum {
      term *= (a + b + n) / (a + 1 + n) * x
      sum += term
      n += 1
    }
    return exp(a * log(x) + b * log(y) - logBeta) / a * sum
  }
}
