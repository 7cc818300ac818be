import ArgumentParser
import Interchange
import Models
import Torch
import Training

/// `latent decode RUN CODES`.
struct Decode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the pictures of codes in a safetensors file.",
    discussion: "The file holds codes [N, D], as `latent encode` writes them. "
      + "JSON keys: run, output, count.")

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Argument(help: "The safetensors file with the key codes.")
  var codes: String

  @OptionGroup var file: PictureOutput
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let device = try compute.start()
    try file.check()
    let trained = try TrainedAutoencoder(path: runPath, device: device)
    let width = trained.autoencoder.config.latentDim
    guard let codes = try Weights.read(codes)["codes"] else {
      throw CommandError("\(codes): it holds no tensor \"codes\"; `latent encode` writes one")
    }
    guard codes.rank == 2, codes.size(1) == width, codes.size(0) > 0, codes.dtype.isFloatingPoint
    else {
      throw CommandError(
        "\(self.codes): codes is \(codes.dtype) \(codes.shape), the network decodes "
          + "fractions [N, \(width)]")
    }
    guard codes.size(0) <= 10_000 else {
      throw CommandError("\(self.codes): \(codes.size(0)) codes are more than one picture can show")
    }
    let pictures = trained.decode(codes.to(.float32))
    let image = try pictures.size(0) == 1 ? pictures.pictures[0] : trained.grid(pictures)
    try file.write(image, recipe: trained.recipe("decode", ["count": .int(pictures.size(0))]))
    try output.report(
      [
        "run": .string(runPath), "output": .string(file.output), "count": .int(pictures.size(0)),
      ],
      lines: ["\(pictures.size(0)) pictures: \(file.output)"])
  }
}
