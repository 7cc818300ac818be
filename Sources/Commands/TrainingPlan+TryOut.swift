import Foundation
import Interchange
import Torch
import Training

extension TrainingPlan {
  /// What a training would take.
  struct Trial {
    let json: JSONObject
    let lines: [String]
  }

  /// Takes a few steps in a folder that is removed again, and says what the whole training would take.
  ///
  /// Throws what a training throws.
  func tryOut(device: Device) throws -> Trial {
    let place = FileManager.default.temporaryDirectory
      .appending(path: "latent-dry-run-\(UUID().uuidString)").path
    let scratch = RunFolder(path: place)
    try scratch.create(replacing: false)
    defer { scratch.remove() }
    let trainer = try makeTrainer(device: device, from: TrainingPosition())
    Interruption.listen()
    func seconds(ofSteps count: Int, from position: TrainingPosition) throws -> TrainingPosition {
      let session = TrainingSession(
        run: scratch, budget: .steps(position.step + count), stepsPerEpoch: trainer.stepsPerEpoch,
        observers: [], from: position, checkpoints: .atTheEnd, sheets: 0)
      try precision { try trainer.train(session) }
      return session.position
    }
    // The first steps find memory and choose kernels.
    let warm = try seconds(ofSteps: 2, from: TrainingPosition())
    let timed = try seconds(ofSteps: 5, from: warm)
    let step = (timed.seconds - warm.seconds) / Double(timed.step - warm.step)
    let steps: Double =
      switch budget {
      case .steps(let total): Double(total)
      case .epochs(let total): Double(total) * Double(trainer.stepsPerEpoch)
      case .minutes(let total): total * 60 / step
      }
    let memory = peakMemory()
    let parameters = trainer.parameterCount
    let rate = Double(recipe.batchSize) / step
    return Trial(
      json: [
        "family": .string(family.rawValue), "parameters": .int(parameters),
        "step_seconds": .double(step), "steps": .int(Int(steps)),
        "seconds": .double(steps * step), "images_per_second": .double(rate),
        "memory_bytes": .int(memory),
      ],
      lines: [
        "network     \(parameters) parameters",
        "data        \(train.name), \(train.count) to train on, \(test.count) held out",
        "a step      \(recipe.batchSize) pictures in \(String(format: "%.3f", step)) s, "
          + "\(Int(rate)) pictures/s",
        "training    \(Int(steps)) steps in \(clock(steps * step))",
        "memory      \(memory >> 20) MB at most so far",
      ])
  }

  /// The most memory that this process has held, bytes.
  private func peakMemory() -> Int {
    var usage = rusage()
    #if canImport(Darwin)
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #else
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss * 1024
    #endif
  }
}
