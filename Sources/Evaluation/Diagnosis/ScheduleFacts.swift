import Diffusion
import Foundation

/// The noise levels that a diffusion model samples through.
public struct ScheduleFacts {
  /// The levels.
  public let schedule: NoiseSchedule
  /// What the network predicts.
  public let prediction: Prediction
  /// The levels that the network was trained at; `nil` where they are not known.
  public let trained: NoiseSchedule?

  /// All facts.
  public init(schedule: NoiseSchedule, prediction: Prediction, trained: NoiseSchedule? = nil) {
    self.schedule = schedule
    self.prediction = prediction
    self.trained = trained
  }

  /// √ᾱ_T, what is left of the picture at the last level.
  public var terminalSignal: Double { schedule.alphasCumprod.last?.squareRoot() ?? 1 }
}

extension ScheduleFacts: Diagnosable {
  /// What the checks of the schedule said.
  public var verdicts: [Finding?] {
    [signalAtTheEnd, nothingToPredict, idleLevels] + (trained == nil ? [] : [changedSchedule])
  }

  /// A last level that still shows the picture (Lin et al. 2024, §3.1).
  public var signalAtTheEnd: Finding? {
    let threshold = 0.1
    guard terminalSignal > threshold else { return nil }
    return Finding(
      "terminal_signal", figure: terminalSignal, threshold: threshold,
      String(
        format: "the last noise level keeps %.3g of the picture (√ᾱ_T), a signal-to-noise ratio of "
          + "%.3g.", terminalSignal, schedule.level(schedule.count - 1).signalToNoise),
      why:
        "sampling starts from pure noise, which the network has never seen: it takes its mean for "
        + "that of a picture, and brightness and contrast come out wrong.",
      remedy: "raise beta_end or num_train_timesteps, or set beta_schedule to squaredcos_cap_v2; "
        + "rescale_betas_zero_snr with v_prediction removes the rest.")
  }

  /// A last level of nothing but noise, where a network that predicts noise says nothing.
  public var nothingToPredict: Finding? {
    let threshold = 1e-6
    guard prediction == .epsilon, terminalSignal < threshold else { return nil }
    return Finding(
      "zero_terminal_snr", figure: terminalSignal, threshold: threshold,
      String(
        format:
          "the last noise level keeps %.1g of the picture, and the network predicts the noise.",
        terminalSignal),
      why: "there the noise is what it is shown, so to see it says nothing of the picture, and the "
        + "first step divides by (almost) nothing.",
      remedy: "set prediction_type to v_prediction or sample, or leave rescale_betas_zero_snr out.")
  }

  /// Levels in the second half of the schedule that add next to no noise.
  public var idleLevels: Finding? {
    let half = schedule.betas.suffix(schedule.count / 2)
    let idle = half.count { $0 < 1e-5 }
    let (share, threshold) = (Double(idle) / Double(max(half.count, 1)), 0.05)
    guard share > threshold else { return nil }
    return Finding(
      "idle_levels", figure: share, threshold: threshold,
      "\(idle) of the last \(half.count) noise levels add next to no noise (β below 0.00001).",
      why:
        "those levels are all alike: training and sampling spend their steps on nothing, and the "
        + "last level may still show the picture.",
      remedy: "mend trained_betas in scheduler_config.json, or choose a beta_schedule, and train "
        + "anew.")
  }

  /// Other levels than those of the training.
  public var changedSchedule: Finding? {
    guard let trained else { return nil }
    let apart =
      zip(schedule.alphasCumprod, trained.alphasCumprod)
      .map { abs($0.squareRoot() - $1.squareRoot()) }.max() ?? 0
    let figure = schedule.count == trained.count ? apart : 1
    let threshold = 0.01
    guard figure > threshold else { return nil }
    return Finding(
      "changed_schedule", figure: figure, threshold: threshold,
      String(
        format: "√ᾱ_t of scheduler_config.json differs by up to %.2g from that of the training.",
        figure),
      why: "the network is told a level of noise and shown another.",
      remedy: "put the settings of run.json back into scheduler/scheduler_config.json.")
  }
}
