import Datasets
import Diffusion
import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch
import Training

@testable import Evaluation

/// Planted faults in real, small trainings, each named; sound trainings, of which nothing is said.
@Suite(.serialized) struct DiagnosisTests {
  @Test func aSoundVAEGetsNoWarning() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 16)
      let run = try small.train(.vae, SmallRuns.vae(), steps: 800, in: "\(folder)/run")
      let diagnosis = try small.diagnose(run, samples: 500)
      #expect(diagnosis.isHealthy, "\(diagnosis.lines)")
      #expect(diagnosis.warnings.isEmpty && diagnosis.checks > 15)
      #expect(Set(diagnosis.notes).isSubset(of: ["blur", "idle_dimensions"]))
    }
  }

  @Test(arguments: [(100.0, "kl_too_strong", "kl_too_weak"), (0, "kl_too_weak", "kl_too_strong")])
  func aWrongWeightOfTheKLTermIsNamed(_ beta: Double, _ name: String, _ other: String) throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 16)
      let recipe = SmallRuns.vae { $0.beta = beta }
      let run = try small.train(.vae, recipe, steps: 400, in: "\(folder)/run")
      let warnings = try small.diagnose(run, samples: 500).warnings
      #expect(warnings.contains(name), "\(warnings)")
      #expect(!warnings.contains(other) && !warnings.contains("posterior_collapse"))
      #expect(!warnings.contains("prior_mismatch"))
    }
  }

  @Test func fiftyPicturesAreNamed() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 16, count: 50)
      let recipe = SmallRuns.vae {
        ($0.latentDim, $0.hiddenDims, $0.batchSize) = (16, [256], 50)
      }
      let run = try small.train(.vae, recipe, steps: 600, in: "\(folder)/run")
      let warnings = try small.diagnose(run, samples: 500).warnings
      #expect(warnings.contains("overfitting"), "\(warnings)")
      #expect(warnings.contains("too_little_data"))
    }
  }

  @Test func holesOfAnAutoencoderAreItsNature() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 16)
      let run = try small.train(.ae, SmallRuns.vae(), steps: 800, in: "\(folder)/run")
      let diagnosis = try small.diagnose(run, samples: 500)
      #expect(diagnosis.isHealthy, "\(diagnosis.lines)")
      #expect(diagnosis.notes.contains("latent_holes"), "\(diagnosis.lines)")
    }
  }

  @Test func aSoundDiffusionModelGetsNoWarningAndAFrozenAverageIsNamed() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 8)
      let run = try small.train(
        .diffusion, SmallRuns.diffusion(), steps: 400, in: "\(folder)/run")
      let sound = try small.diagnose(run)
      #expect(sound.isHealthy && sound.checks > 20, "\(sound.lines)")

      // The weights that training began with, in the place of the averages.
      let model = try TrainedDiffusion(path: run.path)
      let first = UNet2D(model.pipeline.unet.config, using: Generator(seed: 3))
      try DiffusionPipeline(first, model.pipeline.scheduler).save(to: run.path)
      let frozen = try small.diagnose(run).warnings
      #expect(frozen.contains("frozen_average"), "\(frozen)")
      #expect(frozen.contains("worse_than_trivial"), "\(frozen)")
      // Without the checkpoint it shows too.
      try FileManager.default.removeItem(atPath: run.checkpointsPath)
      #expect(try small.diagnose(run).warnings.contains("frozen_average"))
    }
  }

  @Test func aScheduleThatNeverReachesNoiseIsNamed() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 8)
      let recipe = SmallRuns.diffusion {
        ($0.predictionType, $0.betaSchedule, $0.betaEnd) = (.epsilon, .linear, 0.002)
        $0.rescaleBetasZeroSnr = false
      }
      let run = try small.train(.diffusion, recipe, steps: 70, in: "\(folder)/run")
      let diagnosis = try small.diagnose(run, samples: 50)
      let finding = try #require(diagnosis.findings.first { $0.check == "terminal_signal" })
      let bar = NoiseSchedule(recipe.schedulerConfig).alphasCumprod[99]
      #expect(abs(finding.figure - bar.squareRoot()) < 1e-6)

      // The levels' end is put to nothing afterwards.
      let path = "\(run.path)/scheduler/scheduler_config.json"
      var config = try #require(try JSON(contentsOfFile: path).object)
      config["trained_betas"] = .array((0..<100).map { .double($0 < 60 ? 0.02 : 1e-6) })
      try JSON.object(config).write(to: path)
      let warnings = try small.diagnose(run, samples: 50).warnings
      #expect(warnings.contains("idle_levels"), "\(warnings)")
      #expect(warnings.contains("changed_schedule"), "\(warnings)")
    }
  }

  @Test func anUntrainedClassifierIsNamedAndAMemorisingOne() throws {
    try withScratchFolder { folder in
      var recipe = ClassifierRecipe()
      (recipe.blockOutChannels, recipe.batchSize, recipe.lrWarmupSteps) = ([8, 16], 32, 5)
      (recipe.shift, recipe.labelSmoothing, recipe.emaDecay) = (0, 0, 0.9)
      let few = try SmallRuns(side: 16, count: 60)
      let run = try few.train(.classifier, recipe, steps: 120, in: "\(folder)/few")
      let diagnosis = try Diagnosis(
        of: TrainedModels.open(run.path), training: few.training, held: few.held,
        .init(features: .pixels, seed: 1))
      #expect(diagnosis.warnings.contains("overfitting"), "\(diagnosis.lines)")
      #expect(throws: EvaluationError.self) { try few.diagnose(run) }

      let small = try SmallRuns(side: 16)
      recipe.learningRate = 1e-9
      let idle = try small.train(.classifier, recipe, steps: 5, in: "\(folder)/idle")
      let warnings = try Diagnosis(
        of: TrainedModels.open(idle.path), training: small.training, held: small.held,
        .init(features: .pixels, seed: 1)
      ).warnings
      #expect(warnings.contains("no_better_than_guessing"), "\(warnings)")
      #expect(warnings.contains("too_little_time"), "\(warnings)")
    }
  }

  @Test func weightsThatAreNoNumbersEndTheDiagnosis() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 16)
      let run = try small.train(.vae, SmallRuns.vae(), steps: 40, in: "\(folder)/run")
      let network = try Autoencoder(folder: "\(run.path)/vae")
      withoutGradients { network.parameters[0].value.fill(Double.nan) }
      try network.save(to: "\(run.path)/vae")
      let found = try small.diagnose(run).findings
      let finding = try #require(found.first { $0.check == "not_finite" })
      #expect(finding.figure == Double(network.parameters[0].value.count))
    }
  }

  @Test func otherDataIsRefused() throws {
    try withScratchFolder { folder in
      let small = try SmallRuns(side: 8)
      let run = try small.train(.vae, SmallRuns.vae(), steps: 5, in: "\(folder)/run")
      let other = try SmallRuns(side: 8, count: 100)
      let error = #expect(throws: EvaluationError.self) { try other.diagnose(run) }
      #expect(error?.sentence.contains("not the data that the run was trained on") == true)
    }
  }
}
