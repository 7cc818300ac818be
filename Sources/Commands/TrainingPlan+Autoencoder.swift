import ArgumentParser
import Foundation
import Interchange
import Torch
import Training

/// The autoencoder that a latent diffusion model needs, trained before it as a run of its own in
/// `RUN-autoencoder`.
///
/// The command that is given again goes on where it was interrupted.
struct AutoencoderFirst {
  /// The share of a training in minutes that the autoencoder takes.
  static let share = 0.2

  /// The folder of the autoencoder's run.
  let run: RunFolder
  /// How long it is trained.
  let budget: TrainingBudget
  /// What is left for the model itself.
  let rest: TrainingBudget
  private let plan: TrainingPlan?

  /// What has to be done before `command`; `nil` where an autoencoder is named or another family is
  /// trained.
  init?(_ plan: TrainingPlan, _ command: Train) throws {
    guard let recipe = plan.recipe as? LatentDiffusionRecipe, recipe.autoencoder.isEmpty else {
      return nil
    }
    run = RunFolder(path: "\(plan.run.path)-autoencoder")
    switch plan.budget {
    case .minutes(let all):
      (budget, rest) = (.minutes(all * Self.share), .minutes(all * (1 - Self.share)))
    case .steps, .epochs: (budget, rest) = (plan.budget, plan.budget)
    }
    let record = try? RunRecord(of: run)
    if let record, record.status == .finished, !command.force {
      guard record.data.fingerprint == plan.train.fingerprint else {
        throw TrainingError(
          path: run.path,
          "the autoencoder there was trained on other data; add --force to train another one, or "
            + "name one with --autoencoder.")
      }
      self.plan = nil
    } else if record != nil, !command.force, Checkpoint.newest(of: run) != nil {
      self.plan = try TrainingPlan(
        goingOnWith: run, family: .autoencoderKL, budget: budget, checkpoints: plan.checkpoints)
    } else {
      self.plan = try TrainingPlan(
        .autoencoderKL,
        recipe: AutoencoderKLRecipe(preset: recipe.autoencoderPreset, family: .autoencoderKL),
        data: plan.record.data.name, imageSize: command.imageSize, channels: command.channels,
        seed: plan.seed, budget: budget, run: run, replacing: command.force,
        checkpoints: plan.checkpoints, precision: plan.precision)
    }
  }

  /// Trains it, unless that was done before; what a signal ended if one came.
  func execute(
    device: Device, observers: [any TrainingObserver], ranks: Ranks
  ) throws -> TrainingPlan.Outcome? {
    let outcome = try plan?.execute(device: device, observers: observers, ranks: ranks)
    return outcome?.signalNumber == nil ? nil : outcome
  }
}
