import ArgumentParser
import Interchange
import Models
import Torch
import Training

/// `latent interpolate RUN`.
struct Interpolate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Walk from one picture to another through the latent space.",
    discussion: """
      Between two picture files, or between pairs of the held-out data; of a gan between pairs of \
      codes drawn from N(0, 1) (--seed), a class a walk where it knows classes. --path linear walks \
      straight: right for an autoencoder, whose codes may lie anywhere, and for codes of few \
      numbers. --path spherical goes along an arc and keeps the length of the codes: right for a \
      VAE with many dimensions, where draws from N(0, 1) nearly all have the same length and a \
      straight line passes through shorter codes that the decoder has seldom seen. JSON keys: run, \
      output, rows, steps, path; gan: seed.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Argument(help: "Two picture files; without any, pairs of the held-out data.")
  var images: [String] = []

  @Option(help: "The data to take pictures of (default: the run's own).")
  var data: String?

  @Option(help: "Pictures a walk, both ends included.")
  var steps = 10

  @Option(name: [.customShort("n"), .long], help: "How many walks between pairs (default: 5).")
  var count: Int?

  @Option(help: "linear or spherical (default: linear; spherical of a gan).")
  var path: LatentPath?

  @OptionGroup var file: PictureOutput
  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard images.isEmpty || images.count == 2 else {
      throw ValidationError("Name two pictures to walk between, not \(images.count).")
    }
    if !images.isEmpty, data != nil {
      throw ValidationError("Give picture files or --data, not both.")
    }
    guard (2...100).contains(steps) else {
      throw ValidationError("--steps is \(steps); it must lie in 2...100.")
    }
    if let count, !(1...100).contains(count) {
      throw ValidationError("--count is \(count); it must lie in 1...100.")
    }
    if !images.isEmpty, count != nil {
      throw ValidationError("Two pictures make one walk; leave --count out.")
    }
  }

  func run() throws {
    let device = try compute.start()
    try file.check()
    let model = try TrainedModels.open(runPath, device: device)
    if let gan = model as? TrainedGAN { return try walk(gan) }
    if let seed = seed.seed {
      throw CommandError(
        "\(runPath): --seed \(seed) means nothing here; the walks are between pictures of the data")
    }
    let path = path ?? .linear
    // Of another family the initialiser says why it has no codes.
    let trained =
      try model as? TrainedAutoencoder ?? TrainedAutoencoder(path: runPath, device: device)
    let ends =
      try images.isEmpty
      ? trained.firstPictures(of: data, 2 * (count ?? 5))
      : Tensor.concatenated(images.map { try trained.picture($0) })
    guard ends.size(0) >= 2 else {
      throw CommandError(
        "\(data ?? runPath): the held-out part holds one picture, and a walk needs "
          + "two; name two picture files")
    }
    let codes = trained.encode(ends)
    let walks = (0..<codes.size(0) / 2).map {
      path.walk(from: codes[2 * $0], to: codes[2 * $0 + 1], steps: steps)
    }
    let image = try trained.grid(trained.decode(.concatenated(walks)), columns: steps)
    try file.write(
      image,
      recipe: trained.recipe(
        "interpolate", ["steps": .int(steps), "path": .string(path.rawValue)]))
    try output.report(
      [
        "run": .string(runPath), "output": .string(file.output), "rows": .int(walks.count),
        "steps": .int(steps), "path": .string(path.rawValue),
      ],
      lines: [
        "\(walks.count) walk\(walks.count == 1 ? "" : "s") of \(steps) pictures: \(file.output)"
      ])
  }

  /// Walks between codes of a generator.
  private func walk(_ gan: TrainedGAN) throws {
    if data != nil || !images.isEmpty {
      throw CommandError(
        "\(runPath): a gan has no encoder that finds the code of a picture; leave pictures and "
          + "--data out")
    }
    try gan.requireSize()
    let (path, seed, count) = (path ?? .spherical, seed.value, count ?? 5)
    let codes = gan.codes(2 * count, seed: seed)
    let walks = (0..<count).map {
      path.walk(from: codes[2 * $0], to: codes[2 * $0 + 1], steps: steps)
    }
    let classes = gan.classesInTurn(count)?.flatMap { Array(repeating: $0, count: steps) }
    let image = try gan.grid(
      gan.decode(.concatenated(walks), classes: classes), columns: steps)
    try file.write(
      image,
      recipe: gan.recipe(
        "interpolate",
        ["steps": .int(steps), "path": .string(path.rawValue), "seed": .int(Int(seed))]))
    try output.report(
      [
        "run": .string(runPath), "output": .string(file.output), "rows": .int(count),
        "steps": .int(steps), "path": .string(path.rawValue), "seed": .int(Int(seed)),
      ],
      lines: ["\(count) walks of \(steps) pictures, seed \(seed): \(file.output)"])
  }
}

extension LatentPath: ExpressibleByArgument {}
