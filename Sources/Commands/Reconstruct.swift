import ArgumentParser
import Interchange
import Torch
import Training

/// `latent reconstruct RUN`.
struct Reconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put pictures through encoder and decoder, beside the originals.",
    discussion: "JSON keys: run, output, count, mse (mean squared error of values in 0...1).")

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Argument(help: "Picture files; without any, pictures of the held-out data.")
  var images: [String] = []

  @Option(help: "The data to take pictures of (default: the run's own).")
  var data: String?

  @Option(name: [.customShort("n"), .long], help: "How many pictures of the data.")
  var count = 10

  @OptionGroup var file: PictureOutput
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard (1...1000).contains(count) else {
      throw ValidationError("--count is \(count); it must lie in 1...1000.")
    }
    if !images.isEmpty, data != nil {
      throw ValidationError("Give picture files or --data, not both.")
    }
  }

  func run() throws {
    let device = try compute.start()
    try file.check()
    let trained = try TrainedModels.openRestoring(runPath, device: device)
    let originals =
      try images.isEmpty
      ? trained.firstPictures(of: data, count)
      : Tensor.concatenated(images.map { try trained.picture($0) })
    let restored = trained.restored(originals)
    let error = restored.meanSquaredError(originals).item()
    let n = originals.size(0)
    // Ten columns at most: pairs of rows, originals over reconstructions.
    let rows = stride(from: 0, to: n, by: 10).flatMap { start in
      [originals, restored].map { $0[start..<min(start + 10, n)].pictures }
    }
    let image = try trained.pairs(rows)
    try file.write(image, recipe: trained.recipe("reconstruct", ["count": .int(n)]))
    try output.report(
      [
        "run": .string(runPath), "output": .string(file.output), "count": .int(n),
        "mse": .double(error),
      ],
      lines: ["\(n) pictures, mean squared error \(error): \(file.output)"])
  }
}
