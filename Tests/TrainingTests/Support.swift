import Datasets
import Models

@testable import Training

/// Keeps what it is told, and may stop the training by an error of its own.
final class Recorder: TrainingObserver {
  struct Stop: Error {}
  private(set) var events: [TrainingEvent] = []
  private let stopping: (TrainingEvent) -> Bool

  init(stopping: @escaping (TrainingEvent) -> Bool = { _ in false }) {
    self.stopping = stopping
  }

  func observe(_ event: TrainingEvent) throws {
    events.append(event)
    if stopping(event) { throw Stop() }
  }

  var reports: [StepReport] {
    events.compactMap { if case .stepped(let report) = $0 { report } else { nil } }
  }

  /// The kinds of events, in order: `step 1`, `checkpoint 1`.
  var outline: [String] {
    events.compactMap {
      switch $0 {
      case .stepped(let report): "step \(report.step)"
      case .validated(let step, _): "validation \(step)"
      case .sampled(let step, _, _): "sheet \(step)"
      case .measured(let step, _): "measures \(step)"
      // With every sheet.
      case .weighed: nil
      case .warned(let step, _): "warning \(step)"
      case .checkpointed(let step, _): "checkpoint \(step)"
      case .ended(let step, let interrupted): "end \(step)\(interrupted ? " interrupted" : "")"
      }
    }
  }
}

/// Bright discs with noise, by whole numbers alone: `pictures` in
/// generators/_autoencoder_training.py.
///
/// With `classes` picture i is of class i mod `classes`.
func discs(count: Int, channels: Int, size: Int, classes: Int? = nil) -> StoredImages {
  var samples: [UInt8] = []
  for i in 0..<count {
    let (centreX, centreY) = (size * (1 + i % 3) / 4, size * (1 + i % 5) / 6)
    let radius = size / 5 + i % 4
    for c in 0..<channels {
      for y in 0..<size {
        for x in 0..<size {
          let (dx, dy) = (x - centreX, y - centreY)
          let noise = (((samples.count * 2_654_435_761) % (1 << 32)) >> 20) % 32
          samples.append(
            UInt8((dx * dx + dy * dy < radius * radius ? 200 - 40 * c : 10) + noise))
        }
      }
    }
  }
  return StoredImages(
    name: "discs", samples: samples, elementShape: [channels, size, size],
    labels: classes.map { classes in (0..<count).map { $0 % classes } },
    classNames: classes.map { (0..<$0).map { "class \($0)" } })
}

/// A recipe that trains in no time.
func smallRecipe(_ change: (inout AutoencoderRecipe) -> Void = { _ in }) -> AutoencoderRecipe {
  var recipe = AutoencoderRecipe()
  (recipe.hiddenDims, recipe.latentDim, recipe.blockOutChannels) = ([12], 3, [4])
  (recipe.batchSize, recipe.lrWarmupSteps) = (8, 3)
  change(&recipe)
  return recipe
}

extension AutoencoderTraining {
  /// A training on small discs, 20 pictures: three batches of 8, 8 and 4.
  static func small(
    _ kind: AutoencoderConfig.Kind = .variational, recipe: AutoencoderRecipe = smallRecipe(),
    from position: TrainingPosition = TrainingPosition()
  ) throws -> AutoencoderTraining {
    let set = discs(count: 20, channels: 1, size: 8)
    return try AutoencoderTraining(
      kind, recipe: recipe, train: set, test: set, seed: 3, from: position)
  }
}
