import Foundation
import Interchange

extension Comparison {
  /// The figures by name, for machines; every run has the same keys, `null` where it has no figure.
  public var json: JSONObject {
    func number(_ value: Double?) -> JSON {
      value.flatMap { $0.isFinite ? .double($0) : nil } ?? .null
    }
    let runs = self.runs.map { run -> JSON in
      let measures = run.drawing.measures
      var json: JSONObject = [
        "run": .string(run.path), "name": .string(run.name), "family": .string(run.family.rawValue),
        "weights_sha256": .string(run.weightsHash), "drawn": .string(measures.request),
        "steps": run.drawing.steps.map { .int($0) } ?? .null,
        "fid": number(measures.fid), "fid_floor": number(real.fid),
        "fid_infinity": number(measures.fidInfinity?.distance),
        "kid": number(measures.kid?.mean), "kid_error": number(measures.kid?.standardError),
        "precision": number(measures.precisionRecall?.precision),
        "recall": number(measures.precisionRecall?.recall),
        "density": number(measures.precisionRecall?.density),
        "coverage": number(measures.precisionRecall?.coverage),
        "class_accuracy": number(measures.classification?.accuracy),
        "sharpness": number(measures.sharpness?.samples),
        "sharpness_real": number(measures.sharpness?.real),
        "mse": number(run.reconstruction?.meanSquaredError),
        "psnr": number(run.reconstruction?.peakSignalToNoise),
        "ssim": number(run.reconstruction?.similarity),
        "negative_elbo": .null, "likelihood": .null, "bits_per_dim": .null,
        "seconds_per_picture": number(measures.secondsPerPicture),
        "parameters": .int(run.parameters), "training_seconds": number(run.record?.seconds),
        "training_steps": run.record.map { .int($0.steps) } ?? .null,
      ]
      switch run.bound {
      case .nats(let value, let likelihood):
        json["negative_elbo"] = number(value)
        json["likelihood"] = .string(likelihood)
      case .bitsPerDimension(let value): json["bits_per_dim"] = number(value)
      case nil: break
      }
      json["points"] = .array(
        run.drawings.map { drawing in
          .object([
            "steps": drawing.steps.map { .int($0) } ?? .null,
            "seconds_per_picture": number(drawing.measures.secondsPerPicture),
            "fid": number(drawing.measures.fid), "kid": number(drawing.measures.kid?.mean),
            "kid_error": number(drawing.measures.kid?.standardError),
          ])
        })
      json["notes"] = .array(run.notes.map { .string($0) })
      return .object(json)
    }
    return [
      "data": .string(data), "image_size": .int(side),
      "features": [
        "name": .string(extractor.name), "hash": .string(extractor.hash),
        "resizing": .string(extractor.resizing), "width": .int(width),
      ],
      "samples": .int(settings.count), "seed": .int(Int(settings.seed)),
      "references": .int(referenceCount), "runs": .array(runs),
    ]
  }

  /// The protocol and the tables for people, in columns of equal width.
  public var lines: [String] {
    protocolSentences
      + tables.flatMap { table -> [String] in
        let header = ["run"] + table.columns.map(\.title)
        let rows = [header] + table.rows.map { $0.map { $0.isBest ? "\($0.text)*" : $0.text } }
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return [
          "", table.title + (table.columns.contains { !$0.best.isEmpty } ? " (* best)" : ""),
        ]
          + rows.map { row in
            zip(row, widths).enumerated().map { place, cell in
              let room = String(repeating: " ", count: cell.1 - cell.0.count)
              return place == 0 ? cell.0 + room : room + cell.0
            }.joined(separator: "  ")
          }
      }
      + runs.flatMap { run in run.notes.map { "note: \(run.name): \($0)" } }
  }
}
