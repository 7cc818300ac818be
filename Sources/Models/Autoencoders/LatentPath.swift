import Torch

/// A way from one code to another.
public enum LatentPath: String, Sendable, CaseIterable {
  /// The straight line.
  case linear
  /// The arc that keeps the codes' length on its way (Shoemake 1985): straight lines between draws
  /// from N(0, 1) in many dimensions pass through lengths that no draw has.
  case spherical

  /// `steps` codes from `start` to `end`, `[D]` each, both included: `[steps, D]`.
  public func walk(from start: Tensor, to end: Tensor, steps: Int) -> Tensor {
    precondition(steps >= 2, "a walk has two ends")
    let shares = Tensor.linspace(0, 1, steps: steps).unsqueezed(1)
    switch self {
    case .linear:
      return start.unsqueezed(0) * (1 - shares) + end.unsqueezed(0) * shares
    case .spherical:
      let cosine = ((start * end).sum() / (start.norm() * end.norm())).clamped(min: -1, max: 1)
      let angle = cosine.acos()
      guard angle.sin().item() > 1e-6 else {
        return LatentPath.linear.walk(from: start, to: end, steps: steps)
      }
      let first = ((1 - shares) * angle).sin() / angle.sin()
      let second = (shares * angle).sin() / angle.sin()
      return start.unsqueezed(0) * first + end.unsqueezed(0) * second
    }
  }
}
