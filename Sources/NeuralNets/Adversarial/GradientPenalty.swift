import Torch

/// Penalties on the slope of a discriminator, differentiable themselves (double backward).
///
/// `critic` maps samples to scores, `[N, ...]` to one or several scores a sample; the sum of all
/// scores is differentiated. A sample's score must depend on that sample alone, or the slope is not
/// its own: batch normalisation in a discriminator mixes samples. Samples are taken out of their
/// graphs: a penalty reaches the critic's weights, never the generator's.
public enum GradientPenalty {
  /// mean ‖∇D(x)‖² (Mescheder et al. 2018, eq. 9, without its γ/2): R1 at real samples, R2 at
  /// generated ones.
  public static func r1(at samples: Tensor, _ critic: (Tensor) -> Tensor) -> Tensor {
    let x = samples.detached()
    x.requiresGradient = true
    return squaredNorm(of: critic(x), at: x)
  }

  /// The same of scores that were computed from `samples`, which must require gradients: the loss and
  /// its penalty then share one pass forward.
  public static func squaredNorm(of scores: Tensor, at samples: Tensor) -> Tensor {
    slope(of: scores, at: samples).square().sum([1]).mean()
  }

  /// mean (‖∇D(x̂)‖ − 1)² at x̂ = u·x + (1 − u)·G(z) (Gulrajani et al. 2017, eq. 3 and alg. 1,
  /// without its λ).
  ///
  /// `shares` `[N]` holds a u ~ U[0, 1) for each sample. Real and generated samples have one shape.
  public static func wganGP(
    real: Tensor, fake: Tensor, shares: Tensor, _ critic: (Tensor) -> Tensor
  ) -> Tensor {
    precondition(
      real.shape == fake.shape,
      "one shape on both ends; real samples are \(real.shape), generated ones \(fake.shape)")
    let real = real.detached()
    let fake = fake.detached()
    let one = [real.size(0)] + [Int](repeating: 1, count: real.rank - 1)
    let share = shares.reshaped(one).to(real.device).to(real.dtype)
    return distanceToSlopeOne(of: critic, at: share * real + (1 - share) * fake)
  }

  /// mean (‖∇D(x + ½·s·u)‖ − 1)² with u ~ U[0, 1) a value and s the unbiased standard deviation over
  /// all of the batch's values (Kodali et al. 2017, eq. 4, without its λ; the noise is that of the
  /// authors' program, not of the equation, which has a normal one).
  ///
  /// Draws numbers of the samples' shape.
  public static func dragan(
    real: Tensor, using generator: Generator, _ critic: (Tensor) -> Tensor
  ) -> Tensor {
    let real = real.detached()
    let noise = Tensor.rand(real.shape, using: generator).to(real.device).to(real.dtype)
    return distanceToSlopeOne(of: critic, at: real + 0.5 * real.deviation() * noise)
  }

  /// The norm's derivative counts as 0 where the slope is 0, so that a flat critic gives no NaN.
  private static func distanceToSlopeOne(
    of critic: (Tensor) -> Tensor, at samples: Tensor
  ) -> Tensor {
    (slope(of: critic, at: samples).norm(p: 2, [1]) - 1).square().mean()
  }

  /// Every sample's gradient with a graph of its own, `[N, values]`.
  private static func slope(of critic: (Tensor) -> Tensor, at samples: Tensor) -> Tensor {
    let x = samples.detached()
    x.requiresGradient = true
    return slope(of: critic(x), at: x)
  }

  private static func slope(of scores: Tensor, at x: Tensor) -> Tensor {
    let found = scores.sum().gradients(withRespectTo: [x], creatingGraph: true)[0]
    guard let found else { preconditionFailure("the critic's scores do not depend on its samples") }
    return found.flattened(from: 1)
  }
}

/// Holds every weight between −`limit` and `limit`, in place and outside of any graph: how the
/// first Wasserstein critic was kept Lipschitz (Arjovsky et al. 2017, alg. 1).
public func clipParameters(_ parameters: [Parameter], to limit: Double) {
  precondition(limit > 0, "weights cannot be held within ±\(limit)")
  withoutGradients {
    for parameter in parameters { parameter.value.clamp(min: -limit, max: limit) }
  }
}
