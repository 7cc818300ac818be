import Datasets
import Interchange
import NeuralNets
import Torch
import Training

/// How well a discriminator tells held-out samples from generated ones: 50 % at the equilibrium, where
/// neither player can win.
public struct DiscriminatorReport {
  /// The share told right, half of them real.
  public let accuracy: Double
  /// Every threshold's shares; the area is the chance that a real sample scores above a generated
  /// one.
  public let curve: ROCCurve
  /// The share of training samples told real, and of held-out ones: apart where the discriminator
  /// knows its samples by heart.
  public let realShare: (training: Double, heldOut: Double)
  /// V(D, G) on held-out samples.
  public let value: Double
  /// Samples of each kind.
  public let count: Int

  /// Measures the discriminator of a run on at most `limit` samples of each kind.
  ///
  /// Throws an `ExplainedError` for a run without a discriminator, one that has diverged, or data
  /// that cannot be read.
  public init(
    of run: TrainedGAN, training: any Dataset, held: any Dataset, seed: UInt64,
    limit: Int = 2000
  ) throws {
    let discriminator = try run.discriminator()
    let count = min(training.count, held.count, limit)
    guard count > 0 else { throw EvaluationError(path: held.name, "there are no samples.") }
    func scores(_ set: any Dataset) throws -> Tensor {
      let labels =
        run.classNames.isEmpty
        ? nil
        : try (0..<count).map { index in
          guard let label = set.label(at: index), label < run.classNames.count else {
            throw EvaluationError(
              path: set.name, "some of these pictures have no class that the run knows.")
          }
          return label
        }
      let samples = try set.samples(0..<count)
      return withoutGradients {
        run.recipe.read(TrainedGAN.scores(discriminator, samples, labels: labels))
      }
    }
    let real = try scores(held)
    let trained = try scores(training)
    let fakes = run.sample(count, seed: seed)
    let fake = withoutGradients {
      run.recipe.read(
        TrainedGAN.scores(discriminator, fakes, labels: run.classesInTurn(count)))
    }
    let balance = AdversarialBalance(run.recipe.loss, real: real, fake: fake)
    accuracy = balance.accuracy
    value = balance.value
    let (realScores, fakeScores): ([Double], [Double]) = (
      real.to(.float64).elements(), fake.to(.float64).elements()
    )
    curve = try ROCCurve(
      scores: realScores + fakeScores,
      isPositive: realScores.map { _ in true } + fakeScores.map { _ in false })
    let threshold =
      run.recipe.loss.threshold
      ?? (Moments(realScores).mean + Moments(fakeScores).mean) / 2
    func share(_ scores: [Double]) -> Double {
      Double(scores.count { $0 > threshold }) / Double(scores.count)
    }
    realShare = (share(trained.to(.float64).elements()), share(realScores))
    self.count = count
  }

  /// The figures by name.
  public var json: JSONObject {
    [
      "accuracy": .double(accuracy), "auc": .double(curve.area), "value": .double(value),
      "real_share_training": .double(realShare.training),
      "real_share_held_out": .double(realShare.heldOut), "count": .int(count),
    ]
  }

  /// The figures for people.
  public var lines: [String] {
    [
      "discriminator  tells \(percent(accuracy)) apart (50 % where neither player can win), AUC "
        + "\(rounded(curve.area)), V \(rounded(value))",
      "               takes \(percent(realShare.training)) of training and "
        + "\(percent(realShare.heldOut)) of held-out samples for real",
    ]
  }

  private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
  private func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
