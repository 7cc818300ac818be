import Diffusion
import Foundation
import Images
import Models
import Torch

extension AtlasClaim {
  /// Claims that hold by arithmetic, without a training.
  static let arithmeticClaims = [
    AtlasClaim(
      "kl-penalty",
      "The KL penalty of N(10, 0.01) is large, that of N(1.5, 0.3) small, and that of N(0, 1) none."
    ) { _ in
      func kl(_ mean: Double, _ variance: Double) -> Double {
        DiagonalGaussian(
          mean: Tensor([mean]).reshaped([1, 1]),
          logVariance: Tensor([log(variance)]).reshaped([1, 1])
        ).kl.item()
      }
      let (far, near, none) = (kl(10, 0.01), kl(1.5, 0.3), kl(0, 1))
      let means = (0...100).map { Double($0) / 10 }
      let picture = LinePlot(
        [1.0, 0.3, 0.01].map { variance in
          LinePlot.Series(
            "variance \(variance)", points: means.map { ($0, kl($0, variance)) })
        }, title: "KL(N(μ, σ²) ‖ N(0, 1))", xLabel: "μ", yLabel: "nats"
      ).image()
      return AtlasMeasurement(
        holds: abs(far - 51.81) < 0.01 && abs(near - 1.38) < 0.01 && abs(none) < 1e-6,
        measured: String(format: "%.2f, %.2f and %.2f nats", far, near, none),
        paragraph: "The closed form ½ (μ² + σ² − 1 − log σ²). What the encoder pays grows with the "
          + "square of the mean, and with the logarithm of how narrow it is: a code that hides far "
          + "away in a corner is dear, one near the middle with room around it is cheap.",
        figures: [("far", far), ("near", near), ("none", none)], picture: picture)
    },
    AtlasClaim(
      "jump", "One jump to noise level t equals t steps of the chain."
    ) { workshop in
      let schedule = NoiseSchedule(SchedulerClass.ddpm.defaults)
      var (scale, variance, worst) = (1.0, 0.0, 0.0)
      var chain: [(x: Double, y: Double)] = []
      for t in 0..<schedule.count {
        let kernel = schedule.kernel(t)
        scale *= kernel.scale
        variance = kernel.scale * kernel.scale * variance + kernel.variance
        let level = schedule.level(t)
        worst = max(worst, abs(scale - level.alpha), abs(variance - level.sigma * level.sigma))
        chain.append((Double(t + 1), scale))
      }
      // The same by draws: 20,000 numbers through 350 steps.
      let random = Generator(seed: workshop.seed)
      var x = Tensor.full([20_000], 1.0)
      for t in 0..<350 {
        let kernel = schedule.kernel(t)
        x =
          x * kernel.scale
          + Tensor.randn([20_000], using: random) * kernel.variance.squareRoot()
      }
      let level = schedule.level(349)
      let off = abs(x.mean().item() - level.alpha) / (level.sigma / 20_000.0.squareRoot())
      let picture = LinePlot(
        [
          LinePlot.Series("√ᾱ of the chain, step by step", points: chain),
          LinePlot.Series(
            "√ᾱ of the jump",
            points: stride(from: 0, to: schedule.count, by: 50).map {
              (Double($0 + 1), schedule.level($0).alpha)
            }),
        ], title: "What is left of the picture", xLabel: "t"
      ).image()
      return AtlasMeasurement(
        holds: worst < 1e-6 && off < 4,
        measured: String(
          format:
            "scales and variances differ by at most %.1e; 20,000 chains of 350 steps end %.1f "
            + "standard errors from the jump's mean", worst, off),
        paragraph: "The scales of single steps multiply to √ᾱ_t, and their noise adds up to a "
          + "variance of 1 − ᾱ_t, because a sum of normal numbers is normal. So training can draw "
          + "any t at once.",
        figures: [("worst", worst), ("standard_errors", off)], picture: picture)
    },
    AtlasClaim(
      "alpha-bar", "ᾱ is 0.9999 at t = 1, 0.285 at t = 350 and all but 0 at t = 1000."
    ) { _ in
      let schedule = NoiseSchedule(SchedulerClass.ddpm.defaults)
      let values = [1, 350, 1000].map { schedule.alphasCumprod[$0 - 1] }
      let picture = LinePlot(
        [
          LinePlot.Series(
            "ᾱ", points: schedule.alphasCumprod.enumerated().map { (Double($0 + 1), $1) })
        ], title: "ᾱ of the linear schedule, β from 1e-4 to 0.02", xLabel: "t"
      ).image()
      return AtlasMeasurement(
        holds: abs(values[0] - 0.9999) < 1e-6 && abs(values[1] - 0.285) < 1e-3
          && values[2] < 1e-4,
        measured: String(format: "%.4f, %.3f, %.1e", values[0], values[1], values[2]),
        paragraph: "DDPM's schedule takes 1000 small steps: at the first nothing is to be seen, at "
          + "350 a third of the signal's power is left, and at the end the picture is gone, so that "
          + "sampling may begin from noise alone.",
        figures: [("t1", values[0]), ("t350", values[1]), ("t1000", values[2])], picture: picture)
    },
  ]
}
