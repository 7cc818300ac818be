import ArgumentParser
import Evaluation
import Foundation
import Interchange
import Torch
import Training

/// `latent traverse RUN`.
struct Traverse: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Walk along single dimensions of the latent space.",
    discussion: """
      A row per dimension; along it that number of the code alone changes, from -r to r standard \
      deviations: those of the prior N(0, 1) for a VAE, those of the codes for an autoencoder. The \
      walks go through the code of a picture file, or without one through the origin (VAE) or the \
      mean code (autoencoder). JSON keys: run, output, dimensions (counted from 0), steps; vae: kl \
      (mean KL of each of these dimensions, nats).
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Argument(help: "The picture file to walk around.")
  var image: String?

  @Option(
    name: .customLong("dimension"),
    help: ArgumentHelp(
      "A dimension to walk along, from 0; several in turn (default: the ten whose codes vary most).",
      valueName: "k"))
  var chosen: [Int] = []

  @Option(help: "How far to go to either side, in standard deviations.")
  var range = 3.0

  @Option(help: "Pictures a walk, both ends included.")
  var steps = 13

  @OptionGroup var pictures: CodedPictures
  @OptionGroup var file: PictureOutput
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard range > 0, range <= 100 else {
      throw ValidationError("--range is \(range); it must be positive and at most 100.")
    }
    guard (2...100).contains(steps) else {
      throw ValidationError("--steps is \(steps); it must lie in 2...100.")
    }
    guard chosen.count <= 1000 else {
      throw ValidationError("--dimension is given \(chosen.count) times; 1000 rows are the most.")
    }
  }

  func run() throws {
    let device = try compute.start()
    try file.check()
    let trained = try TrainedAutoencoder(path: runPath, device: device)
    let width = trained.autoencoder.config.latentDim
    for k in chosen where !(0..<width).contains(k) {
      throw CommandError(
        "\(runPath): there is no dimension \(k); the codes of this network have \(width), from 0 "
          + "to \(width - 1)")
    }
    let around = try image.map { trained.encode(try trained.picture($0))[0] }
    let (_, _, found) = try pictures.encode(by: trained)
    let rows = chosen.isEmpty ? Array(found.byVariance.prefix(10)) : chosen
    let centre = around ?? (found.kl == nil ? found.codes.mean([0]) : Tensor.zeros([width]))

    let deviations = (0..<steps).map { range * Double(2 * $0 - steps + 1) / Double(steps - 1) }
    let walks = rows.map { k in
      let step = found.kl == nil ? found.variances[k].squareRoot() : 1
      let along = Tensor(deviations.map { Float($0 * step) }, shape: [steps, 1])
      return centre + along * Tensor.eye(width)[k]  // [steps, D]
    }
    let titles = rows.map { k in
      "z\(k), "
        + (found.kl.map { String(format: "KL %.2f nats", $0[k]) }
          ?? String(format: "σ %.3g", found.variances[k].squareRoot()))
    }
    let picture = try trained.grid(
      trained.decode(.concatenated(walks)), columns: steps,
      columnTitles: deviations.map { signed($0) + " σ" }, rowTitles: titles)
    let dimensions = JSON.array(rows.map { .int($0) })
    try file.write(
      picture,
      recipe: trained.recipe(
        "traverse",
        ["dimensions": dimensions, "steps": .int(steps), "range": .double(range)]))
    var json: JSONObject = [
      "run": .string(runPath), "output": .string(file.output), "dimensions": dimensions,
      "steps": .int(steps),
    ]
    json["kl"] = found.kl.map { kl in .array(rows.map { .double(kl[$0]) }) }
    try output.report(
      json, lines: titles + ["\(rows.count) walks of \(steps) pictures: \(file.output)"])
  }

  /// A number of deviations as short as it can be told, with a true minus.
  private func signed(_ value: Double) -> String {
    (value < 0 ? "−" : "") + String(format: "%.2g", abs(value))
  }
}
