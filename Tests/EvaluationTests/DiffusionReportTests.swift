import Datasets
import Diffusion
import Evaluation
import Interchange
import Models
import TestSupport
import Testing
import Torch
import Training

/// The bound of an untrained network, and the data on which it cannot be taken.
@Suite struct DiffusionReportTests {
  /// A model of `classes` classes and 20 levels for pictures of 8×8.
  private func withModel(
    classes: Int, variance: VarianceType = .fixedSmall,
    _ body: (TrainedDiffusion) throws -> Void
  ) throws {
    try withScratchFolder { folder in
      var recipe = DiffusionRecipe()
      (recipe.blockOutChannels, recipe.attentionLevels) = ([4, 8], [])
      (recipe.normNumGroups, recipe.attentionHeadDim) = (2, 4)
      recipe.numTrainTimesteps = 20
      let unet = UNet2D(
        recipe.network(imageSize: 8, channels: 1, classes: classes), using: Generator(seed: 1))
      var config = recipe.schedulerConfig
      config.varianceType = variance
      try DiffusionPipeline(
        unet, SchedulerFile(.ddpm, config), classNames: (0..<classes).map { "class \($0)" }
      ).save(to: folder)
      try body(TrainedDiffusion(path: folder))
    }
  }

  @Test(arguments: [VarianceType.fixedSmall, .fixedLarge])
  func theBoundIsTheSumOfItsTerms(_ variance: VarianceType) throws {
    try withModel(classes: 0, variance: variance) { model in
      let set = try DatasetCatalog.open("shapes", split: .test, imageSize: 8, channels: 1)
      let report = try DiffusionReport(of: model, on: set, seed: 1, limit: 6, levels: 20)
      let terms = try report.terms.map { try #require($0) }
      #expect(terms.count == 20)
      let bits = try #require(report.json["bits_per_dim"]?.double)
      let prior = try #require(report.json["prior"]?.double)
      #expect(abs(bits - terms.reduce(prior, +)) < 1e-6)
      #expect(bits > 3 && prior > 0)
      let few = try DiffusionReport(of: model, on: set, seed: 1, limit: 6, levels: 5)
      #expect(few.terms.count { $0 != nil } >= 5 && few.terms.contains { $0 == nil })
    }
  }

  @Test func otherClassesAreRefused() throws {
    let set = try DatasetCatalog.open("shapes", split: .test, imageSize: 8, channels: 1)
    try withModel(classes: 3) { model in
      let error = #expect(throws: SamplerError.self) {
        try DiffusionReport(of: model, on: set, seed: 1, limit: 6)
      }
      #expect(error?.sentence.contains("but the model knows 3") == true)
    }
  }
}
