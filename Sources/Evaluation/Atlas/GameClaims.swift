import Datasets
import Foundation
import Images
import NeuralNets
import Torch
import Training

extension AtlasClaim {
  /// Claims about generator and discriminator.
  static let gameClaims = [
    AtlasClaim(
      "optimal-discriminator",
      "Against a perfect generator the best discriminator says ½ everywhere, and the value of the "
        + "game is −log 4."
    ) { workshop in
      // A generator that draws from the data itself: another part of the ring's points.
      let (real, same) = (PointMixture.ring8(split: .train), PointMixture.ring8(split: .test))
      let (x, fake) = (try real.samples(0..<8000), try same.samples(0..<8000))
      let random = Generator(seed: workshop.seed)
      let hidden = Linear(2, 64, using: random)
      let head = Linear(64, 1, using: random)
      let rule = Adam(hidden.parameters + head.parameters, learningRate: 1e-2)
      func judge(_ x: Tensor) -> Tensor { head(hidden(x).leakyReLU(slope: 0.2)).squeezed(1) }
      var curve: [(x: Double, y: Double)] = []
      var value = 0.0
      for step in 1...300 {
        rule.clearGradients()
        let (mine, its) = (judge(x), judge(fake))
        let loss = AdversarialLoss.nonSaturating.discriminatorLoss(real: mine, fake: its)
        loss.backward()
        rule.step()
        value = -loss.item()
        curve.append((Double(step), mine.detached().sigmoid().mean().item()))
        try workshop.checkInterruption()
      }
      let (held, heldFake) = (try real.samples(8000..<16_000), try same.samples(0..<8000))
      let limit = -Foundation.log(4.0)
      let means = withoutGradients {
        (
          judge(held).sigmoid().mean().item() as Double,
          judge(heldFake).sigmoid().mean().item() as Double
        )
      }
      let picture = LinePlot(
        [
          LinePlot.Series("D(x)", points: curve),
          LinePlot.Series("1/2", points: [(1, 0.5), (300, 0.5)]),
        ], title: "A discriminator with nothing to find", xLabel: "step"
      ).image()
      return AtlasMeasurement(
        holds: abs(means.0 - 0.5) < 0.03 && abs(value - limit) < 0.03,
        measured: String(
          format: "D %.3f on new real points, %.3f on the other's; V %.4f (−log 4 is %.4f)",
          means.0, means.1, value, limit),
        paragraph: "Both players' points come from the same ring, as if the generator had won. "
          + "Trained to the end, the discriminator finds p / (p + p) = ½.",
        figures: [("real", means.0), ("fake", means.1), ("value", value)], picture: picture)
    },
    AtlasClaim(
      "saturation",
      "Where the discriminator wins, the saturating loss leaves the generator the weaker gradient."
    ) { _ in
      // The slope of both losses by the score that a generated sample gets.
      func slope(_ loss: AdversarialLoss, _ score: Double) -> Double {
        let s = Tensor([score])
        s.requiresGradient = true
        loss.generatorLoss(fake: s).backward()
        return abs(s.gradient?.item() ?? 0)
      }
      let scores = stride(from: -8.0, through: 8, by: 0.25).map { $0 }
      let (weak, strong) = (slope(.minimax, -6), slope(.nonSaturating, -6))
      let picture = LinePlot(
        [AdversarialLoss.minimax, .nonSaturating, .lsgan, .wgan].map { loss in
          LinePlot.Series(
            loss.rawValue, points: scores.map { ($0, min(slope(loss, $0), 3)) })
        }, title: "How hard the generator's loss pulls", xLabel: "score of a generated sample",
        yLabel: "slope"
      ).image()
      return AtlasMeasurement(
        holds: strong > 100 * weak,
        measured: String(
          format: "at D(G(z)) = %.4f the slope is %.4f (minimax) and %.4f (non-saturating)",
          1 / (1 + Foundation.exp(6.0)), weak, strong),
        paragraph:
          "log(1 − D) is flat where D is near 0, which is where a losing generator stands; "
          + "−log D is steepest there. Least squares pulls the harder the further off a sample is, "
          + "and Wasserstein's critic pulls everywhere alike.",
        figures: [("minimax", weak), ("non_saturating", strong)], picture: picture)
    },
    AtlasClaim(
      "mode-collapse", "On a ring of eight modes the minimax game collapses, and R3GAN's does not."
    ) { workshop in
      let games = [GANRecipe.Game.minimax, .r3gan]
      let found = try games.map { try ring($0, workshop) }
      let picture = try ImageGrid(
        found.map(\.picture), columns: found.count, margin: 8, columnTitles: games.map(\.rawValue)
      ).image()
      let (bad, good) = (found[0].coverage, found[1].coverage)
      return AtlasMeasurement(
        holds: good.modesCaptured == 8
          && (bad.modesCaptured < 8 || bad.entropy < 0.8 * good.entropy),
        measured: found.enumerated().map { described(games[$0], $1.coverage) }
          .joined(separator: "; "),
        paragraph:
          "The same fully connected networks, steps and rates. Minimax falls onto the modes "
          + "where the discriminator is weak at the moment; relativistic pairs with penalties on "
          + "the slope at both ends keep every mode in play.",
        figures: zip(games, found).flatMap { game, one in
          [
            ("modes_\(game.rawValue)", Double(one.coverage.modesCaptured)),
            ("high_quality_\(game.rawValue)", one.coverage.highQuality),
          ]
        }, picture: picture)
    },
    AtlasClaim(
      "losses", "Least squares and Wasserstein losses hold more of the ring than minimax does."
    ) { workshop in
      let games = [GANRecipe.Game.minimax, .lsgan, .wgan, .wganGP]
      let found = try games.map { try ring($0, workshop) }
      let picture = try ImageGrid(
        found.map(\.picture), columns: found.count, margin: 8, columnTitles: games.map(\.rawValue)
      ).image()
      let minimax = found[0].coverage
      let others = found.dropFirst().map(\.coverage)
      return AtlasMeasurement(
        holds: others.allSatisfy { $0.modesCaptured > minimax.modesCaptured },
        measured: found.enumerated().map { described(games[$0], $1.coverage) }
          .joined(separator: "; "),
        paragraph: "Each loss with the penalties and turns of its paper, on the same networks and "
          + "as many steps, of 1e-3 (WGAN-GP: 1e-4); the bound of WGAN's weights is 0.1.",
        figures: zip(games, found).map {
          ("modes_\($0.rawValue)", Double($1.coverage.modesCaptured))
        },
        picture: picture)
    },
  ]

  private static func described(_ game: GANRecipe.Game, _ coverage: ModeCoverage) -> String {
    String(
      format: "%@ %d of %d modes, %.0f %% near one", game.rawValue, coverage.modesCaptured,
      coverage.modeCount, 100 * coverage.highQuality)
  }

  /// A game on the ring, 8000 steps of 1e-3; WGAN-GP, which that throws off, of its paper's 1e-4.
  private static func ring(
    _ game: GANRecipe.Game, _ workshop: any AtlasWorkshop
  ) throws -> (coverage: ModeCoverage, picture: Image) {
    var settings =
      game == .wganGP ? [] : ["learning_rate=1e-3", "discriminator_learning_rate=1e-3"]
    if game == .wgan { settings.append("clip=0.1") }
    let model = try workshop.run(
      "ring-\(game.rawValue)", .gan, data: "ring8", budget: .steps(8000), game: game,
      settings: settings)
    guard let run = model as? TrainedGAN else {
      throw EvaluationError(path: model.folder.path, "this run of the atlas is no gan.")
    }
    let mixture = PointMixture.ring8(split: .test)
    let points = run.sample(4000, seed: workshop.seed).points
    return (
      ModeCoverage(points: points, mixture: mixture),
      DensityPicture(points: points, extent: mixture.extent, marks: mixture.centres).image()
    )
  }
}
