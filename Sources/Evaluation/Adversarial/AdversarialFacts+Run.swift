import Datasets
import NeuralNets
import Torch
import Training

extension AdversarialFacts {
  /// The facts of a run: its curves, and its discriminator on training and on held-out samples.
  ///
  /// Throws an `ExplainedError` for a run without a discriminator or samples that cannot be read.
  init(
    of run: TrainedGAN, history: TrainingHistory, training: any Dataset, held: any Dataset,
    seed: UInt64
  ) throws {
    let loss = run.recipe.loss
    func curve(_ name: String) -> [Double] {
      history.curves[name]?.values.filter(\.isFinite) ?? []
    }
    var memory: (training: Double, heldOut: Double)?
    if training.count > 20, held.count > 20 {
      let report = try DiscriminatorReport(of: run, training: training, held: held, seed: seed)
      memory = report.realShare
    }
    self.init(
      loss: loss == .minimax ? .saturating : loss == .wgan ? .wasserstein : .nonSaturating,
      discriminatorAccuracy: curve("accuracy"),
      generatorGradientNorm: curve("generator_gradient_norm"),
      realChance: loss.scoresAreLogits ? curve("real_score") : [],
      drawnChance: loss.scoresAreLogits ? curve("fake_score") : [], memory: memory)
  }
}
