import ArgumentParser
import Datasets
import Evaluation
import Foundation
import Interchange
import Torch
import Training

/// `latent quickstart`.
struct Quickstart: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The tour: train an autoencoder and a VAE, and see them side by side.",
    discussion: """
      Trains each for about two minutes on Fashion-MNIST, or on drawn shapes where that is not on \
      the machine, and leaves one sheet of pictures. JSON keys: sheet, ae, vae (runs), data, seed.
      """)

  @Option(help: "Minutes of training for each of the two networks.")
  var minutes = 2.0

  @Option(help: "The folder for both runs and the sheet (default: runs/quickstart, numbered).")
  var out: String?

  @Option(help: "A data set's name or path (default: fashion-mnist, or shapes without it).")
  var data: String?

  @Flag(help: "Replace the runs and the sheet of an earlier tour in --out.")
  var force = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard minutes > 0, minutes.isFinite else {
      throw ValidationError("--minutes is \(minutes); it must be positive.")
    }
  }

  func run() throws {
    let device = try compute.start()
    let seed = seed.value
    let data = data ?? Self.dataAtHand
    let folder = out ?? freeFolder("runs/quickstart")
    let sheetPath = "\(folder)/quickstart.png"
    if FileManager.default.fileExists(atPath: sheetPath), !force {
      throw CommandError("\(sheetPath): this file is there already; add --force to replace it")
    }
    let runs = try [Family.ae, .vae].map { family in
      try TrainingPlan(
        family, recipe: AutoencoderRecipe(), data: data, seed: seed, budget: .minutes(minutes),
        run: RunFolder(path: "\(folder)/\(family.rawValue)"), replacing: force)
    }
    guard runs[0].test.count >= 2 else {
      throw CommandError(
        "\(data): the held-out part holds one picture, and the tour walks between two; add more")
    }
    for (number, plan) in runs.enumerated() {
      output.talk(
        "\(number + 1) of 2: \(plan.family == .ae ? "an autoencoder" : "a variational autoencoder") "
          + "on \(plan.train.count) pictures of \(data), \(clock(minutes * 60)) minutes")
      _ = try plan.execute(device: device, observers: output.quiet ? [] : [ProgressObserver()])
      if let signal = Interruption.signalNumber { throw ExitCode(128 + signal) }
    }
    let ae = try TrainedAutoencoder(path: runs[0].run.path, device: device)
    let vae = try TrainedAutoencoder(path: runs[1].run.path, device: device)
    let sheet = try AutoencoderComparison(ae: ae, vae: vae, on: runs[0].test, seed: seed).sheet()
    try sheet.write(to: sheetPath)
    try output.report(
      [
        "sheet": .string(sheetPath), "ae": .string(ae.folder.path), "vae": .string(vae.folder.path),
        "data": .string(data), "seed": .int(Int(seed)),
      ],
      lines: [
        "Look at \(sheetPath):",
        "1  What comes back: both restore pictures; the VAE a little softer, the price of its noise.",
        "2  Codes drawn from N(0, 1): the AE decodes holes between its codes, the VAE new pictures.",
        "3  From one picture to another: through the AE's gaps, or along the VAE's dense space.",
        "4  The maps: the AE's codes lie anywhere at any scale, the VAE's fill the region that "
          + "N(0, 1) draws from.",
      ])
  }

  private static var dataAtHand: String {
    let known = DatasetCatalog.listings()
    return known.contains { $0.name == "fashion-mnist" && $0.isPresent }
      ? "fashion-mnist" : "shapes"
  }
}

/// `base`, or `base-2`, `base-3`, … : the first that is not there yet.
func freeFolder(_ base: String) -> String {
  guard FileManager.default.fileExists(atPath: base) else { return base }
  return (2...).lazy.map { "\(base)-\($0)" }
    .first { !FileManager.default.fileExists(atPath: $0) } ?? base
}
