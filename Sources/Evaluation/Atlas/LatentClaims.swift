import Datasets
import Foundation
import Images
import Models
import Torch
import Training

/// What pictures are compared by in the atlas: features of held-out pictures.
struct Yardstick {
  let extractor: any FeatureExtractor
  let real: FrechetDistance
  let held: any Dataset

  init(_ workshop: any AtlasWorkshop, like model: any TrainedModel) throws {
    held = try model.open(nil, split: .test)
    let training = try model.open(nil, split: .train)
    extractor = try FeatureChoice.automatic.extractor(for: workshop.data, device: .cpu) {
      training
    }
    real = FrechetDistance(
      from: FeatureStatistics(extractor(try held.pictures(held.spread(2000))).vectors))
  }

  /// The Fréchet distance of pictures to held-out ones.
  func distance(_ pictures: Tensor) -> Double {
    real(to: FeatureStatistics(extractor(pictures).vectors))
  }
}

extension AtlasClaim {
  /// Claims about codes.
  static let latentClaims = [
    AtlasClaim(
      "ae-holes",
      "An autoencoder's random codes decode to broken pictures where a VAE's do not."
    ) { workshop in
      let (ae, vae) = try aeAndVAE(workshop)
      let runs = [ae, vae]
      let yardstick = try Yardstick(workshop, like: ae)
      let drawn = runs.map { yardstick.distance($0.sample(1000, seed: workshop.seed)) }
      let picture = try ImageGrid(
        rows: runs.map { $0.sample(12, seed: workshop.seed).pictures }, scale: 2, margin: 8,
        rowTitles: ["ae", "vae"]
      ).image()
      return AtlasMeasurement(
        holds: drawn[0] > 2 * drawn[1],
        measured: String(format: "distance of draws %.2f (AE) and %.2f (VAE)", drawn[0], drawn[1]),
        paragraph: "Fréchet distances to held-out pictures by the same features, 1,000 codes from "
          + "N(0, 1) each. Both networks are alike and were trained as long; only the VAE was told "
          + "to fill N(0, 1).",
        figures: [("ae_drawn", drawn[0]), ("vae_drawn", drawn[1])], picture: picture)
    },
    AtlasClaim(
      "ae-middles",
      "The middle between two codes decodes to a worse picture in an autoencoder than in a VAE."
    ) { workshop in
      let (ae, vae) = try aeAndVAE(workshop)
      let runs = [ae, vae]
      let yardstick = try Yardstick(workshop, like: ae)
      let pairs = try yardstick.held.pictures(yardstick.held.spread(2000))
      let found = runs.map { run -> (middle: Double, ends: Double, pictures: [Image]) in
        let codes = run.encode(pairs)
        let middles = run.decode((codes[0..<1000] + codes[1000..<2000]) / 2)
        return (
          yardstick.distance(middles), yardstick.distance(run.decode(codes[0..<1000])),
          middles[0..<12].pictures
        )
      }
      let picture = try ImageGrid(
        rows: found.map(\.pictures), scale: 2, margin: 8, rowTitles: ["ae", "vae"]
      ).image()
      let (a, v) = (found[0], found[1])
      return AtlasMeasurement(
        holds: a.middle - a.ends > v.middle - v.ends,
        measured: String(
          format: "distance of middles %.2f (AE) and %.2f (VAE), where the ends themselves come "
            + "back at %.2f and %.2f", a.middle, v.middle, a.ends, v.ends),
        paragraph: "The middles between the codes of 1,000 pairs of held-out pictures, decoded; "
          + "Fréchet distances to held-out pictures. Counted is what the middle adds to the ends.",
        figures: [
          ("ae_middle", a.middle), ("vae_middle", v.middle), ("ae_ends", a.ends),
          ("vae_ends", v.ends),
        ], picture: picture)
    },
    AtlasClaim(
      "dense-space", "The codes of a VAE fill N(0, 1) densely, those of an autoencoder do not."
    ) { workshop in
      let (ae, vae) = try aeAndVAE(workshop)
      let held = try ae.open(nil, split: .test)
      let pictures = try held.pictures(held.spread(1000))
      /// The median distance from a draw to the nearest code, over that between codes.
      func emptiness(_ run: TrainedAutoencoder) -> Double {
        let codes =
          run.family == .vae
          ? run.posterior(pictures).sample(using: Generator(seed: workshop.seed))
          : run.encode(pictures)
        let draws = Tensor.randn(codes.shape, using: Generator(seed: workshop.seed))
        let toCodes = NearestNeighbours(of: draws, in: codes, count: 1).distances[0].sorted()
        let among = NearestNeighbours(of: codes, in: codes, count: 2).distances[1].sorted()
        return toCodes[500] / among[500]
      }
      let (a, v) = (emptiness(ae), emptiness(vae))
      let picture = try ImageGrid(
        rows: [ae, vae].map { run -> [Image] in
          let codes = run.encode(try held.pictures(0..<2))
          return run.decode(LatentPath.linear.walk(from: codes[0], to: codes[1], steps: 12))
            .pictures
        }, scale: 2, margin: 8, rowTitles: ["ae", "vae"]
      ).image()
      return AtlasMeasurement(
        holds: abs(log(v)) < abs(log(a)) && v < 1.5,
        measured: String(
          format: "a draw from N(0, 1) is %.2f (VAE) and %.2f (AE) times as far from the nearest "
            + "code as codes are from each other", v, a),
        paragraph: "Near 1 a draw from N(0, 1) lies among the codes as one of them. The picture "
          + "walks from one held-out picture to another through both spaces.",
        figures: [("vae", v), ("ae", a)], picture: picture)
    },
    AtlasClaim(
      "beta",
      "With β blur grows and reconstructions get worse; as β falls, KL rises."
    ) { workshop in
      let betas = [0.25, 1.0, 4.0, 16.0]
      var rows: [(kl: Double, error: Double, sharp: Double)] = []
      var pictures: [[Image]] = []
      for beta in betas {
        let run = try workshop.autoencoder(
          beta == 1 ? "vae" : "vae-beta-\(beta)", .vae, settings: ["beta=\(beta)"])
        let held = try run.open(nil, split: .test)
        let x = try held.pictures(held.spread(1000))
        let posterior = run.posterior(x)
        let back = run.decode(posterior.mean)
        rows.append(
          (
            posterior.kl.mean().item(), (back - x).square().mean().item(),
            Sharpness(of: back).mean
          ))
        pictures.append(back[0..<12].pictures)
      }
      func rising(_ values: [Double]) -> Bool {
        zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
      }
      let picture = try ImageGrid(
        rows: pictures, scale: 2, margin: 8, rowTitles: betas.map { "β = \($0)" }
      ).image()
      return AtlasMeasurement(
        holds: rising(rows.map { -$0.kl }) && rising(rows.map(\.error))
          && rising(rows.map { -$0.sharp }),
        measured: zip(betas, rows).map {
          String(
            format: "β %.2g: KL %.1f, error %.4f, fine detail %.1f %%", $0, $1.kl, $1.error,
            100 * $1.sharp)
        }.joined(separator: "; "),
        paragraph: "The same network with four weights of the KL term, trained as long each. The "
          + "code carries fewer nats, and the decoder draws the mean of all that a code may mean.",
        figures: zip(betas, rows).map { ("kl_\($0)", $1.kl) }
          + zip(betas, rows).map { ("error_\($0)", $1.error) }, picture: picture)
    },
    AtlasClaim(
      "vae-gan", "A VAE-GAN's pictures are sharper than a VAE's."
    ) { workshop in
      let vae = try workshop.autoencoder("vae", .vae)
      let mixed = try workshop.autoencoder("vae-gan", .vaeGAN, minutes: 6)
      let held = try vae.open(nil, split: .test)
      let real = Sharpness(of: try held.pictures(held.spread(1000))).mean
      let drawn = [vae, mixed].map { $0.sample(1000, seed: workshop.seed) }
      let sharp = drawn.map { Sharpness(of: $0).mean }
      // How much nearer it is, from whichever side.
      let closed = 1 - abs(real - sharp[1]) / abs(real - sharp[0])
      let picture = try ImageGrid(
        rows: drawn.map { $0[0..<12].pictures }, scale: 2, margin: 8,
        rowTitles: ["vae", "vae-gan"]
      ).image()
      return AtlasMeasurement(
        holds: closed > 0.3,
        measured: String(
          format:
            "fine detail %.1f %% (VAE), %.1f %% (VAE-GAN), %.1f %% (real): %.0f %% of the gap is gone",
          100 * sharp[0], 100 * sharp[1], 100 * real, 100 * closed),
        paragraph: "The same encoder and decoder. What the decoder may leave out is judged in the "
          + "features of a discriminator, which sees blur, instead of pixel by pixel.",
        figures: [("vae", sharp[0]), ("vae_gan", sharp[1]), ("real", real)], picture: picture)
    },
  ]

  /// The two that claims set side by side.
  private static func aeAndVAE(
    _ workshop: any AtlasWorkshop
  ) throws -> (ae: TrainedAutoencoder, vae: TrainedAutoencoder) {
    (try workshop.autoencoder("ae", .ae), try workshop.autoencoder("vae", .vae))
  }
}
