import ArgumentParser
import Evaluation
import Foundation
import Images
import Interchange
import Training

/// `latent map RUN`.
struct Map: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw where codes lie in the latent space, and that plane decoded.",
    discussion: """
      The plane of the first two principal components of the codes, or the code itself where it has \
      two numbers, coloured by label; beside it, what the decoder draws at each place of the plane. \
      JSON keys: run, output, count, dimensions (numbers of a code), explained_variance (the share \
      of the codes' variance along each axis).
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @OptionGroup var pictures: CodedPictures
  @OptionGroup var file: PictureOutput
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let device = try compute.start()
    try file.check()
    let trained = try TrainedAutoencoder(path: runPath, device: device)
    let width = trained.autoencoder.config.latentDim
    guard width >= 2 else {
      throw CommandError(
        "\(runPath): the codes of this network have one number, and a map needs two; `latent "
          + "traverse` shows what it does")
    }
    let (set, indices, dimensions) = try pictures.encode(by: trained)
    let map = LatentMap(of: dimensions.codes)
    let shares = map.explainedVariance.map { String(format: "%.1f %%", 100 * $0) }
      .joined(separator: " and ")

    let decoded = try trained.grid(trained.decode(map.lattice(12)), columns: 12)
    let scatter = map.scatter(set, at: indices)
      .image(width: decoded.height * 5 / 4, height: decoded.height)
    let axes = width == 2 ? "the two numbers of the code" : "first two principal components"
    let image = try Sheet(
      "Latent space of \(URL(filePath: trained.folder.path).lastPathComponent)",
      note: "\(trained.family.rawValue), codes of \(width) numbers",
      rows: [
        [
          .init(
            "Where the codes lie",
            note: "\(indices.count) pictures of \(set.name) (\(pictures.split.rawValue)); \(axes), "
              + "\(shares) of the variance",
            picture: scatter),
          .init(
            "That plane, decoded", note: "what the decoder draws at each place of the map",
            picture: decoded),
        ]
      ]
    ).image()
    try file.write(
      image,
      recipe: trained.recipe(
        "map",
        [
          "data": .string(set.name), "split": .string(pictures.split.rawValue),
          "count": .int(indices.count),
        ]))
    try output.report(
      [
        "run": .string(runPath), "output": .string(file.output), "count": .int(indices.count),
        "dimensions": .int(width),
        "explained_variance": .array(map.explainedVariance.map { .double($0) }),
      ],
      lines: [
        "\(indices.count) codes of \(width) numbers, \(shares) of their variance along the axes: "
          + file.output
      ])
  }
}
