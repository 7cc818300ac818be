import ArgumentParser
import Evaluation
import Foundation
import Interchange
import Training

extension Evaluate {
  /// What a text-to-image model is measured by: whether what it draws for captions is nearest to the
  /// pictures that they belong to.
  func retrieval(_ model: TrainedLatentDiffusion) throws {
    if let other = measures?.names.first(where: { $0 != "retrieval" }) {
      throw CommandError(
        "\(runPath): the measure \(other) means nothing to a run of the family "
          + "\(model.family.rawValue); it has retrieval")
    }
    let set = try model.open(data, split: split)
    guard (0..<min(set.count, 100)).contains(where: { set.caption(at: $0) != nil }) else {
      throw CommandError("\(set.name): its pictures have no captions, and it takes captions here")
    }
    Interruption.listen()
    let line = output.quiet ? nil : StatusLine()
    let start = ContinuousClock.now
    let seed = seed.value
    let measured = try CaptionRetrieval(
      of: model, on: set, count: count ?? 100, scales: denoising.guidance.map { [$0] } ?? scales,
      steps: denoising.steps, sampler: denoising.sampler, seed: seed
    ) { share in
      let left = clock((ContinuousClock.now - start) / .seconds(1) / share * (1 - share))
      line?.show("\(StatusLine.bar(share)) drawing captions  \(left) left")
      guard let signal = Interruption.signalNumber else { return }
      line?.finish()
      throw ExitCode(128 + signal)
    }
    line?.finish()
    var json: JSONObject = [
      "run": .string(runPath), "family": .string(model.family.rawValue),
      "data": .string(set.name), "seed": .int(Int(seed)), "split": .string(split.rawValue),
    ]
    for (key, value) in measured.json { json[key] = value }
    var lines = ["\(runPath) on \(set.name), seed \(seed)"] + measured.lines
    if !noCache {
      let path = "\(model.folder.path)/captions-\(split.rawValue).png"
      try measured.sheet.write(to: path)
      json["sheet"] = .string(path)
      lines.append("sheet          \(path)")
    }
    try output.report(json, lines: lines)
  }

  /// From none to more than is good.
  private var scales: [Double] { [1, 3, 5, 7.5] }
}
