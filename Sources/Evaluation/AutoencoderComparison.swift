import Datasets
import Foundation
import Images
import Models
import Torch
import Training

/// An autoencoder and a variational one side by side, on the same pictures and the same draws.
public struct AutoencoderComparison {
  /// The deterministic one.
  public let ae: TrainedAutoencoder
  /// The variational one.
  public let vae: TrainedAutoencoder
  private let set: any Dataset
  private let seed: UInt64

  /// Both have to be trained on pictures of the size that `set` has.
  public init(ae: TrainedAutoencoder, vae: TrainedAutoencoder, on set: any Dataset, seed: UInt64) {
    self.ae = ae
    self.vae = vae
    self.set = set
    self.seed = seed
  }

  /// One page: reconstructions, samples, interpolations, and maps of both latent spaces.
  ///
  /// Throws when a picture cannot be read.
  public func sheet() throws -> Image {
    let runs = [("Autoencoder", ae), ("Variational autoencoder", vae)]
    let codes = try runs.map { $0.1.encode(try set.pictures(0..<min(2000, set.count))) }
    let maps = codes.map(LatentMap.init(of:))
    let width = 10 * (cell + 2) - 2
    return try Sheet(
      "An autoencoder and a variational autoencoder",
      note: "\(set.name), \(ae.record.data.count) pictures; the same draws on both sides, "
        + "seed \(seed)",
      rows: [
        [try reconstructions()],
        runs.map { name, run in
          Sheet.Section(
            "\(name): codes drawn from N(0, 1)", note: "new pictures, none of them in the data",
            picture: try grid(run.sample(40, seed: seed), columns: 10))
        },
        try runs.map { name, run in
          Sheet.Section(
            "\(name): from one picture to another", note: "straight lines through the latent space",
            picture: try walks(run))
        },
        zip(runs, maps).map { run, map in
          Sheet.Section(
            "\(run.0): where the codes lie",
            note: "\(map.points.size(0)) held-out pictures, first two principal components",
            picture: map.scatter(set).image(width: width, height: width * 3 / 4))
        },
        try zip(runs, maps).map { run, map in
          Sheet.Section(
            "\(run.0): that plane, decoded",
            note: "what the decoder draws at each place of the map",
            picture: try grid(run.1.decode(map.lattice(10)), columns: 10))
        },
      ]
    ).image()
  }

  private var cell: Int { ae.autoencoder.config.imageSize * scale }
  private var scale: Int { max(1, 56 / ae.autoencoder.config.imageSize) }

  private func grid(
    _ pictures: Tensor, columns: Int, rowTitles: [String] = []
  ) throws -> Image {
    try ImageGrid(pictures.pictures, columns: columns, scale: scale, rowTitles: rowTitles).image()
  }

  private func reconstructions() throws -> Sheet.Section {
    let originals = try set.pictures(0..<min(16, set.count))
    let restored = [ae, vae].map { $0.decode($0.encode(originals)) }
    return Sheet.Section(
      "Pictures and what comes back",
      note: zip(["autoencoder", "variational"], restored).map { name, pictures in
        String(
          format: "%@: mean squared error %.4f", name,
          pictures.meanSquaredError(originals).item())
      }.joined(separator: ";  "),
      picture: try grid(
        Tensor.concatenated([originals] + restored), columns: originals.size(0),
        rowTitles: ["original", "AE", "VAE"]))
  }

  private func walks(_ run: TrainedAutoencoder) throws -> Image {
    let ends = run.encode(try set.pictures(0..<min(8, set.count)))
    let walks = (0..<ends.size(0) / 2).map {
      LatentPath.linear.walk(from: ends[2 * $0], to: ends[2 * $0 + 1], steps: 10)
    }
    return try grid(run.decode(.concatenated(walks)), columns: 10)
  }
}
