import Interchange

/// Writes `metrics.jsonl`: one line a report or validation.
public final class MetricsObserver: TrainingObserver {
  private let log: MetricsLog

  /// Opens or continues the log in a run folder. Throws `FileError`.
  public init(run: RunFolder) throws {
    log = try MetricsLog(path: run.metricsPath)
  }

  /// Appends a line.
  public func observe(_ event: TrainingEvent) throws {
    switch event {
    case .stepped(let report):
      var record: JSONObject = [
        "step": .int(report.step), "epoch": .int(report.epoch), "seconds": .double(report.seconds),
        "rate": .double(report.rate), "data_wait": .double(report.dataWait),
      ]
      for (name, value) in report.metrics { record[name] = .double(value) }
      try log.append(record)
    case .validated(let step, let metrics):
      var record: JSONObject = ["step": .int(step)]
      for (name, value) in metrics { record["validation_\(name)"] = .double(value) }
      try log.append(record)
    case .measured(let step, let metrics):
      var record: JSONObject = ["step": .int(step)]
      for (name, value) in metrics { record["samples_\(name)"] = .double(value) }
      try log.append(record)
    case .warned(let step, let sentence):
      try log.append(["step": .int(step), "warning": .string(sentence)])
    case .sampled, .weighed, .checkpointed, .ended: break
    }
  }
}

/// Writes TensorBoard's event file: curves, sample sheets, and histograms of the weights.
public final class TensorBoardObserver: TrainingObserver {
  private let writer: TensorBoardWriter

  /// Starts an event file in a run folder. Throws `FileError`.
  public init(run: RunFolder) throws {
    writer = try TensorBoardWriter(folder: run.path)
  }

  /// Appends events.
  public func observe(_ event: TrainingEvent) throws {
    switch event {
    case .stepped(let report):
      let curves = report.metrics.map { ("train/\($0.name)", Float($0.value)) }
      try writer.scalars(
        curves + [
          ("speed/rate", Float(report.rate)), ("speed/data_wait", Float(report.dataWait)),
        ], step: report.step)
    case .validated(let step, let metrics):
      try writer.scalars(
        metrics.map { ("validation/\($0.name)", Float($0.value)) }, step: step)
    case .sampled(let step, _, let sheet):
      try writer.image(
        "samples", png: sheet.pngBytes(), width: sheet.width, height: sheet.height,
        channels: sheet.channels, step: step)
    case .measured(let step, let metrics):
      try writer.scalars(metrics.map { ("samples/\($0.name)", Float($0.value)) }, step: step)
    case .weighed(let step, let weights):
      for (name, histogram) in weights {
        try writer.histogram("weights/\(name)", histogram, step: step)
      }
    case .warned, .checkpointed, .ended: break
    }
  }
}
