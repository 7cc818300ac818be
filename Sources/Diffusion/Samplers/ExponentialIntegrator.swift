import Foundation

// What the solvers of the semi-linear equation dx/dλ = x + e^(−λ) ε(x, λ) share: its linear part is
// solved exactly, and what is left is an integral of an exponential times a polynomial in λ.

/// ψ_k(z) = Σ_{j≥k} z^(j−k+1) / j!, so that ψ_1 = e^z − 1 and ψ_{k+1} = ψ_k / z − 1 / k!.
///
/// ψ_k is z φ_k of the exponential integrators (Hochbruck & Ostermann 2010, §2), and stays
/// finite at z = −∞, where the last step to a picture without noise is.
func exponentialRemainder(_ k: Int, _ z: Double) -> Double {
  precondition(k >= 1, "a remainder counts from 1")
  if abs(z) < 0.5 {
    // The recursion would lose digits here; 18 terms reach a double's last digit.
    var term = z / factorial(k)
    var sum = 0.0
    for j in k..<k + 18 {
      sum += term
      term *= z / Double(j + 1)
    }
    return sum
  }
  return (1..<k).reduce(expm1(z)) { psi, j in psi / z - 1 / factorial(j) }
}

/// k! h^k ψ_{k+1}(rate · h) for k below `count`: rate · ∫_0^h e^(rate (h−v)) v^k dv.
func exponentialMoments(_ count: Int, h: Double, rate: Double) -> [Double] {
  (0..<count).map { factorial($0) * pow(h, Double($0)) * exponentialRemainder($0 + 1, rate * h) }
}

/// n!
func factorial(_ n: Int) -> Double {
  n < 2 ? 1 : (2...n).reduce(1.0) { $0 * Double($1) }
}

/// The polynomials that are 1 at one node and 0 at the others.
struct LagrangeBasis {
  /// The factors of v⁰, v¹, …, a row a node.
  private let coefficients: [[Double]]

  /// The basis at nodes that all differ.
  init(nodes: [Double]) {
    coefficients = nodes.indices.map { i in
      var polynomial = [1.0]
      for j in nodes.indices where j != i {
        // · (v − v_j) / (v_i − v_j)
        let scale = 1 / (nodes[i] - nodes[j])
        let raised = [0] + polynomial
        polynomial = zip(raised, polynomial + [0]).map { ($0 - nodes[j] * $1) * scale }
      }
      return polynomial
    }
  }

  /// A linear functional of every polynomial, by its values for v⁰, v¹, …: the weights of a rule
  /// that is exact for polynomials.
  func weights(moments: [Double]) -> [Double] {
    coefficients.map { zip($0, moments).reduce(0) { $0 + $1.0 * $1.1 } }
  }
}
