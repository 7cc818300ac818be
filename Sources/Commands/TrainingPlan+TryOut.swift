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
    let rehearsal = try Rehearsal(of: self, device: device)
    let trainer = rehearsal.trainer
    Interruption.listen()
    // The first steps find memory and choose kernels.
    let warm = try rehearsal.take(2)
    let timed = try rehearsal.take(5)
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

}

/// The first steps of a training, in a folder that goes with it.
final class Rehearsal {
  let trainer: any Trainer
  private let plan: TrainingPlan
  private let scratch: RunFolder
  private var position = TrainingPosition()

  /// Throws when the folder or the networks cannot be made.
  init(of plan: TrainingPlan, device: Device) throws {
    self.plan = plan
    scratch = RunFolder(
      path: FileManager.default.temporaryDirectory
        .appending(path: "latent-dry-run-\(UUID().uuidString)").path)
    try scratch.create(replacing: false)
    do {
      trainer = try plan.makeTrainer(device: device, from: position)
    } catch {
      scratch.remove()
      throw error
    }
  }

  deinit { scratch.remove() }

  /// Takes `count` more steps and says where the training stands. Throws what a training throws.
  @discardableResult
  func take(_ count: Int) throws -> TrainingPosition {
    let session = TrainingSession(
      run: scratch, budget: .steps(position.step + count), stepsPerEpoch: trainer.stepsPerEpoch,
      observers: [], from: position, checkpoints: .atTheEnd, sheets: 0)
    try plan.precision { try trainer.train(session) }
    position = session.position
    return position
  }
}

/// The most memory that this process has held, bytes.
func peakMemory() -> Int {
  var usage = rusage()
  #if canImport(Darwin)
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #else
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  #endif
}
