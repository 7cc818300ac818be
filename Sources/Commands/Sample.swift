import ArgumentParser
import Interchange
import Torch
import Training

/// `latent sample RUN`.
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw new pictures from a trained run.",
    discussion: "Picture i is drawn with seed + i. JSON keys: run, output, count, seed.")

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Option(name: [.customShort("n"), .long], help: "How many pictures.")
  var count = 64

  @OptionGroup var file: PictureOutput
  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count is \(count); it must lie in 1...10000.")
    }
  }

  func run() throws {
    let device = try compute.start()
    try file.check()
    let trained = try TrainedRun(path: runPath, device: device)
    let seed = seed.value
    let pictures = trained.sample(count, seed: seed)
    let image = try count == 1 ? pictures.pictures[0] : trained.grid(pictures)
    try file.write(
      image, recipe: trained.recipe("sample", ["seed": .int(Int(seed)), "count": .int(count)]))
    try output.report(
      [
        "run": .string(runPath), "output": .string(file.output), "count": .int(count),
        "seed": .int(Int(seed)),
      ],
      lines: ["\(count) pictures, seed \(seed): \(file.output)"])
  }
}
