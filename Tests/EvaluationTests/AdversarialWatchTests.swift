import Datasets
import Testing
import Torch

@testable import Evaluation
@testable import Training

@Suite struct AdversarialWatchTests {
  private func report(
    _ progress: Double, accuracy: Double = 0.7, norm: Double = 1
  ) -> StepReport {
    StepReport(
      step: Int(1000 * progress), epoch: 0, progress: progress, seconds: 1, rate: 1,
      dataWait: 0, metrics: [("accuracy", accuracy), ("generator_gradient_norm", norm)])
  }

  private func watch(_ loss: GANRecipe.Game = .r3gan) throws -> AdversarialWatch {
    var recipe = GANRecipe()
    recipe.game = loss
    return try AdversarialWatch(
      over: recipe, data: "ring8", training: PointMixture.ring8(split: .train),
      held: PointMixture.ring8(split: .test))
  }

  /// Points on the first `modes` modes of the ring.
  private func samples(_ modes: Int) -> Tensor {
    let centres = PointMixture.ring8(split: .test).centres
    let values = (0..<800).flatMap { index -> [Float] in
      let centre = centres[index % modes]
      return [Float(centre.x), Float(centre.y)]
    }
    return Tensor(values, shape: [800, 2])
  }

  /// Of few modes is told once the samples are not the first ones any more, and once.
  @Test func collapseIsToldInTime() throws {
    let watch = try watch()
    #expect(watch.warnings(after: report(0.1)).isEmpty)
    #expect(try watch.measure(samples(2)).first?.value == 2)
    // Still the measure of then.
    #expect(watch.warnings(after: report(0.3)).isEmpty)
    _ = try watch.measure(samples(2))
    let told = watch.warnings(after: report(0.4))
    #expect(told.count == 1 && told[0].contains("2 of 8 modes: mode collapse"))
    #expect(watch.warnings(after: report(0.5)).isEmpty)
    _ = try watch.measure(samples(8))
    #expect(watch.warnings(after: report(0.6)).isEmpty)
    _ = try watch.measure(samples(1))
    #expect(watch.warnings(after: report(0.7)).count == 1)
  }

  /// A gradient that vanishes while the discriminator is always right.
  @Test func vanishedGradientIsTold() throws {
    let watch = try watch(.minimax)
    for step in 1...8 {
      #expect(watch.warnings(after: report(0.01 * Double(step), accuracy: 0.8)).isEmpty)
    }
    for step in 1...2 {
      _ = watch.warnings(after: report(0.1 + 0.01 * Double(step), accuracy: 0.999, norm: 1e-4))
    }
    let told = watch.warnings(after: report(0.2, accuracy: 0.999, norm: 1e-4))
    #expect(told.count == 1 && told[0].contains("has vanished"))
    #expect(told.first?.contains("non-saturating") == true)
  }
}
