import Datasets
import Foundation
import Interchange
import Models
import Torch
import Training

/// What an autoencoder, deterministic or variational, is measured by.
public struct AutoencoderReport {
  /// The figures by name, for machines.
  public let json: JSONObject
  /// The same for people.
  public let lines: [String]

  /// Measures a run on a set; `progress` hears the share of the slow part that is done.
  ///
  /// Throws when a picture cannot be read.
  public init(
    of run: TrainedAutoencoder, on set: any Dataset, importanceSamples: Int, seed: UInt64,
    limit: Int = .max, progress: (Double) throws -> Void
  ) throws {
    let count = min(set.count, limit)
    var json: JSONObject = [
      "run": .string(run.folder.path), "family": .string(run.family.rawValue),
      "data": .string(set.name), "count": .int(count), "seed": .int(Int(seed)),
    ]
    var lines = ["\(run.folder.path) on \(count) held-out pictures of \(set.name), seed \(seed)"]
    if run.autoencoder.config.kind == .variational {
      let bounds = try run.autoencoder.measureBounds(
        on: set, importanceSamples: importanceSamples, seed: seed, limit: limit,
        progress: progress)
      let active = try LatentDimensions(of: run, on: set, at: 0..<min(count, 2000)).activeUnits
      json["elbo"] = .double(bounds.elbo)
      json["reconstruction"] = .double(bounds.reconstruction)
      json["kl"] = .double(bounds.kl)
      json["active_units"] = .int(active)
      func nats(_ value: Double) -> String { String(format: "%.2f nats", value) }
      lines += [
        "−ELBO             \(nats(-bounds.elbo))",
        "  reconstruction  \(nats(bounds.reconstruction))",
        "  KL              \(nats(bounds.kl))",
      ]
      if let iwae = bounds.iwae {
        json["iwae"] = .double(iwae)
        json["iwae_samples"] = .int(importanceSamples)
        lines.append("−IWAE, \(importanceSamples) draws  \(nats(-iwae))")
      }
      lines.append("active units      \(active) of \(run.autoencoder.config.latentDim)")
    } else {
      let measured = try run.autoencoder.measureReconstruction(on: set, limit: limit)
      json["reconstruction"] = .double(measured.loss)
      json["mse"] = .double(measured.meanSquaredError)
      lines += [
        String(format: "reconstruction      %.2f nats", measured.loss),
        String(format: "mean squared error  %.5f", measured.meanSquaredError),
      ]
    }
    self.json = json
    self.lines = lines
  }
}
