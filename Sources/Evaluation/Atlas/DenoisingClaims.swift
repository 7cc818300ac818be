import Datasets
import Diffusion
import Foundation
import Images
import Models
import NeuralNets
import Torch
import Training

extension AtlasClaim {
  /// Claims about noise and what takes it away.
  static let denoisingClaims = [
    AtlasClaim("skip-connections", "Skip connections help the U-Net.") { workshop in
      let run = try diffusion(workshop)
      let training = try run.open(nil, split: .train)
      let held = try run.open(nil, split: .test)
      var recipe = DiffusionRecipe()
      (recipe.blockOutChannels, recipe.classConditional) = ([16, 32, 64], false)
      let objective = recipe.objective
      func curve(_ usesSkips: Bool) throws -> (points: [(x: Double, y: Double)], held: Double) {
        let network = UNet2D(
          recipe.network(
            imageSize: training.elementShape[1], channels: training.elementShape[0], classes: 0),
          using: Generator(seed: workshop.seed))
        network.usesSkips = usesSkips
        let rule = Adam(network.parameters, learningRate: 1e-3)
        let noise = Generator(seed: workshop.seed &+ 1)
        var points: [(x: Double, y: Double)] = []
        var mean = 1.0
        let steps = 800
        for step in 0..<steps {
          let first = step * 32 % (training.count - 32)
          let x = 2 * (try training.pictures(first..<first + 32)) - 1
          let (levels, drawn) = objective.draw(for: x, using: noise)
          rule.clearGradients()
          let loss = objective.losses(x, noise: drawn, levels: levels) {
            network($0, timesteps: $1)
          }.mean()
          loss.backward()
          rule.step()
          mean += (loss.item() - mean) * (step < 20 ? 0.2 : 0.02)
          points.append((Double(step + 1), mean))
          try workshop.checkInterruption()
        }
        network.setTraining(false)
        let fixed = Generator(seed: 0)
        let x = 2 * (try held.pictures(0..<min(500, held.count))) - 1
        let (levels, drawn) = objective.draw(for: x, using: fixed)
        let error = withoutGradients {
          objective.losses(x, noise: drawn, levels: levels) { network($0, timesteps: $1) }.mean()
            .item() as Double
        }
        return (points, error)
      }
      workshop.tell("a U-Net with skip connections")
      let with = try curve(true)
      workshop.tell("a U-Net without")
      let without = try curve(false)
      let picture = LinePlot(
        [
          LinePlot.Series("with", points: with.points),
          LinePlot.Series("without", points: without.points),
        ], title: "Error of the predicted noise", xLabel: "step", yScale: .logarithmic
      ).image()
      return AtlasMeasurement(
        holds: with.held < 0.9 * without.held,
        measured: String(
          format: "held-out error %.4f with, %.4f without", with.held, without.held),
        paragraph: "The same small U-Net from the same weights on the same batches, 800 steps; the "
          + "second one finds zeros where the levels' outputs would come across, so all that it "
          + "knows of the noise has to pass the narrowest level.",
        figures: [("with", with.held), ("without", without.held)], picture: picture)
    },
    AtlasClaim(
      "ddim-steps", "DDIM draws in 50 and in 20 steps what takes 1000 ancestral ones."
    ) { workshop in
      let run = try diffusion(workshop)
      let measure = try measuring(workshop, run)
      let count = 200
      var rows: [(name: String, fid: Double, pictures: [Image])] = []
      func add(_ name: String, _ drawn: Tensor) {
        rows.append((name, measure(drawn), drawn[0..<12].pictures))
      }
      workshop.tell("ddpm, 1000 steps")
      add(
        "ddpm, 1000 steps",
        try SampleDrawer(run, SampleRequest(seed: workshop.seed, steps: 1000, sampler: .ddpm))
          .samples(count) { _ in try workshop.checkInterruption() }.pictures)
      // DDIM as its paper has it: x_0 held in range, as the folder's scheduler says, no longer fits
      // the noise.
      var free = run.pipeline.scheduler.config
      free.clipSample = false
      let pipeline = DiffusionPipeline(
        run.pipeline.unet, try SchedulerFile(run.pipeline.scheduler.schedulerClass, free),
        classNames: run.pipeline.classNames)
      let classes = pipeline.classNames.count
      for steps in [50, 20, 5] {
        workshop.tell("ddim, \(steps) steps")
        try workshop.checkInterruption()
        add(
          "ddim, \(steps) steps",
          try pipeline.sample(
            DiffusionPipeline.Request(
              count: count, seed: workshop.seed, steps: steps, sampler: .ddim,
              classes: classes > 0 ? (0..<count).map { $0 % classes } : nil),
            batch: 100))
      }
      let picture = try ImageGrid(
        rows: rows.map(\.pictures), scale: 2, margin: 8, rowTitles: rows.map(\.name)
      ).image()
      return AtlasMeasurement(
        holds: rows[1].fid < 1.25 * rows[0].fid && rows[2].fid < 1.5 * rows[0].fid,
        measured: rows.map { String(format: "%@: %.2f", $0.name, $0.fid) }
          .joined(separator: "; "),
        paragraph: "Fréchet distances of 200 pictures each to held-out ones by the same features, "
          + "from one small model. DDIM skips levels and adds no noise on the way; x_0 is not held in "
          + "range.",
        figures: zip(["ddpm_1000", "ddim_50", "ddim_20", "ddim_5"], rows).map { ($0, $1.fid) },
        picture: picture)
    },
    AtlasClaim(
      "guidance", "A larger guidance scale gives pictures truer to their class, and less varied."
    ) { workshop in
      let run = try diffusion(workshop)
      let held = try run.open(nil, split: .test)
      let training = try run.open(nil, split: .train)
      let extractor = try FeatureChoice.automatic.extractor(for: workshop.data, device: .cpu) {
        training
      }
      let real = extractor(try held.pictures(held.spread(2000))).vectors
      var rows: [(scale: Double, accuracy: Double, recall: Double, pictures: [Image])] = []
      for scale in [1.0, 2, 4, 8] {
        workshop.tell("guidance \(scale)")
        let drawn = try SampleDrawer(
          run,
          SampleRequest(
            seed: workshop.seed, steps: 20, sampler: .dpmpp2M, guidance: Guidance(scale: scale))
        ).samples(500) { _ in try workshop.checkInterruption() }
        let features = extractor(drawn.pictures)
        guard let logits = features.logits, let labels = drawn.labels else {
          throw EvaluationError(
            path: workshop.data,
            "guidance needs data with classes that features tell apart, such as fashion-mnist.")
        }
        let right = zip(logits.argmax(1).elements(as: Int.self), labels).count { $0 == $1 }
        rows.append(
          (
            scale, Double(right) / Double(labels.count),
            try PrecisionRecall(samples: features.vectors, real: real).recall,
            drawn.pictures[0..<10].pictures
          ))
      }
      let picture = try ImageGrid(
        rows: rows.map(\.pictures), scale: 2, margin: 8, rowTitles: rows.map { "w = \($0.scale)" }
      ).image()
      return AtlasMeasurement(
        holds: rows[2].accuracy > rows[0].accuracy && rows[3].recall < rows[0].recall,
        measured: rows.map {
          String(
            format: "w = %g: %.1f %% of classes found, recall %.2f", $0.scale, 100 * $0.accuracy,
            $0.recall)
        }.joined(separator: "; "),
        paragraph:
          "500 pictures for each scale w in ε(∅) + w (ε(c) − ε(∅)), from the same noise. A "
          + "classifier finds the class that was asked for more often, and fewer of the real "
          + "pictures have a drawn one near them.",
        figures: rows.map { ("accuracy_\($0.scale)", $0.accuracy) }
          + rows.map { ("recall_\($0.scale)", $0.recall) }, picture: picture)
    },
    AtlasClaim(
      "stability", "Diffusion trains more stably than a GAN: its seeds differ less."
    ) { workshop in
      func distances(_ family: Family, _ settings: [String]) throws -> [Double] {
        try (0..<3).map { number in
          let model = try workshop.run(
            "stability-\(family.rawValue)-\(number)", family, data: workshop.data,
            budget: .minutes(3), game: family == .gan ? .nonSaturating : nil,
            settings: settings + ["seed=\(number)"])
          let request = SampleRequest(
            seed: workshop.seed, steps: family == .diffusion ? 10 : nil,
            sampler: family == .diffusion ? .dpmpp2M : nil)
          let drawn = try SampleDrawer(model, request).samples(500) { _ in
            try workshop.checkInterruption()
          }
          return try measuring(workshop, model)(drawn.pictures)
        }
      }
      let gan = try distances(
        .gan,
        [
          "architecture=dcgan", "block_out_channels=[32,64,128]", "beta1=0.5", "batch_size=64",
          "learning_rate=2e-4", "discriminator_learning_rate=2e-4",
        ])
      let diffusion = try distances(.diffusion, ["block_out_channels=[16,32,64]"])
      func spread(_ values: [Double]) -> Double {
        let moments = Moments(values)
        return moments.variance.squareRoot() / moments.mean
      }
      let picture = LinePlot(
        [
          LinePlot.Series("gan", values: gan), LinePlot.Series("diffusion", values: diffusion),
        ], title: "Distance to real pictures, three seeds", xLabel: "seed"
      ).image()
      func list(_ values: [Double]) -> String {
        values.map { String(format: "%.2f", $0) }.joined(separator: ", ")
      }
      return AtlasMeasurement(
        holds: spread(diffusion) < spread(gan),
        measured: "distances \(list(gan)) (GAN) and \(list(diffusion)) (diffusion): spread "
          + String(format: "%.0f %% and %.0f %%", 100 * spread(gan), 100 * spread(diffusion))
          + " of the mean",
        paragraph:
          "Three trainings of three minutes each, a DCGAN with the non-saturating loss and a "
          + "small U-Net, that differ in their seed alone.",
        figures: [("gan_spread", spread(gan)), ("diffusion_spread", spread(diffusion))],
        picture: picture)
    },
  ]

  /// The atlas's diffusion model.
  private static func diffusion(_ workshop: any AtlasWorkshop) throws -> TrainedDiffusion {
    let model = try workshop.run(
      "diffusion", .diffusion, data: workshop.data, budget: .minutes(25), game: nil,
      settings: ["block_out_channels=[16,32,64]", "batch_size=32"])
    guard let model = model as? TrainedDiffusion else {
      throw EvaluationError(path: model.folder.path, "this run of the atlas is no diffusion model.")
    }
    return model
  }

  /// The Fréchet distance of pictures to held-out ones.
  private static func measuring(
    _ workshop: any AtlasWorkshop, _ model: any TrainedModel
  ) throws -> (Tensor) -> Double {
    let yardstick = try Yardstick(workshop, like: model)
    return yardstick.distance
  }
}
