import Datasets
import Evaluation
import Foundation
import Models
import Testing
import Torch
import Training

/// The report of a run, from an untrained network written as a run.
@Suite struct AutoencoderReportTests {
  private func run(_ family: Family, _ body: (TrainedAutoencoder, any Dataset) throws -> Void)
    throws
  {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "latent-report-\(UUID().uuidString)").path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = RunFolder(path: folder)
    try run.create(replacing: false)
    var recipe = try AutoencoderRecipe(preset: "mlp", family: family)
    let kind = try #require(family.autoencoderKind)
    recipe.hiddenDims = [16]
    recipe.latentDim = 4
    let network = Autoencoder(
      recipe.network(kind, imageSize: 8, channels: 1), using: Generator(seed: 3))
    try network.save(to: run.createFolder(AutoencoderTraining.folderName(kind)))
    try RunRecord(
      family: family.rawValue, command: [], config: [:], seed: 0,
      data: .init(name: "shapes", count: 1, fingerprint: "", imageSize: 8, channels: 1)
    ).write(to: run)
    let set = try DatasetCatalog.open("shapes", split: .test, imageSize: 8, channels: 1)
    try body(TrainedAutoencoder(path: folder), set)
  }

  @Test func theBoundsOfAVariationalRunHangTogether() throws {
    try run(.vae) { run, set in
      let report = try AutoencoderReport(
        of: run, on: set, importanceSamples: 20, seed: 1, limit: 64
      ) { _ in }
      let json = report.json
      let elbo = try #require(json["elbo"]?.double)
      let iwae = try #require(json["iwae"]?.double)
      let kl = try #require(json["kl"]?.double)
      let reconstruction = try #require(json["reconstruction"]?.double)
      #expect(abs(elbo + reconstruction + kl) < 1e-9 * abs(elbo))
      #expect(iwae >= elbo - 0.05)
      #expect(kl >= 0)
      #expect(json["count"]?.int == 64)
      // The dimensions' own share of the same bound.
      let dimensions = try LatentDimensions(of: run, on: set, at: 0..<64)
      #expect(abs(try #require(dimensions.kl).reduce(0, +) - kl) < 1e-5 * kl)
      #expect(json["active_units"]?.int == dimensions.activeUnits)
    }
  }

  @Test func aDeterministicRunReportsItsError() throws {
    try run(.ae) { run, set in
      let report = try AutoencoderReport(
        of: run, on: set, importanceSamples: 20, seed: 1, limit: 64
      ) { _ in }
      let pictures = try set.pictures(0..<64)
      let restored = run.decode(run.encode(pictures))
      let expected = (restored - pictures).square().mean().item()
      let mse = try #require(report.json["mse"]?.double)
      #expect(abs(mse - expected) < 1e-6)
      #expect(report.json["elbo"] == nil)
    }
  }

  @Test func aComparisonDrawsItsSheet() throws {
    try run(.ae) { ae, set in
      try run(.vae) { vae, _ in
        let sheet = try AutoencoderComparison(ae: ae, vae: vae, on: set, seed: 0).sheet()
        #expect(sheet.width > 800 && sheet.height > 800 && sheet.channels == 3)
        #expect(Set(sheet.pixels).count > 50)
      }
    }
  }
}
