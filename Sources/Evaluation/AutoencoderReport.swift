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
    limit: Int = .max, progress: (Double) -> Void
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
      let active = try Self.activeUnits(run, set, min(count, 2000))
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

  /// Dimensions whose posterior mean varies by more than 0.01 over the data (Burda et al. 2016,
  /// §2.1): the others carry nothing.
  private static func activeUnits(_ run: TrainedAutoencoder, _ set: any Dataset, _ count: Int)
    throws -> Int
  {
    guard count > 1 else { return 0 }
    let means = run.encode(try set.pictures(0..<count))
    return (means.variance([0]) .> 0.01).to(.int64).sum().intItem()
  }
}
