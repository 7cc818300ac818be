import Interchange

extension SchedulerConfig {
  /// What is wrong with the settings, as one sentence without its full stop; `nil` when samplers can
  /// be made of them, or say themselves what they cannot do.
  ///
  /// Call it on every configuration that a person or a file supplied: schedules trust theirs.
  public var problem: String? {
    firstOutside(wholes) ?? firstOutside(numbers) ?? firstUnknown ?? contradiction
  }

  /// How many levels a network may be trained at.
  static let trainTimestepsRange = 1...100_000

  private typealias Limit<Number: Comparable> = (
    key: String, value: Number?, range: ClosedRange<Number>
  )

  private var wholes: [Limit<Int>] {
    let lengths = 1...(1 << 30)
    return [
      ("num_train_timesteps", numTrainTimesteps, Self.trainTimestepsRange),
      ("steps_offset", stepsOffset, -100_000...100_000),
      ("original_inference_steps", originalInferenceSteps, 1...100_000),
      ("solver_order", solverOrder, 1...10),
      ("predictor_order", predictorOrder, 1...10),
      ("corrector_order", correctorOrder, 0...10),
      ("base_image_seq_len", baseImageSeqLen, lengths),
      ("max_image_seq_len", maxImageSeqLen, lengths),
    ]
  }

  private var numbers: [Limit<Double>] {
    // float32 tells 1 − β from 0 and 1; squares and powers stay in a double's range.
    let (betas, positive, any) = (1e-6...0.999_999, 1e-6...1e6, -1e6...1e6)
    return [
      ("beta_start", betaStart, betas), ("beta_end", betaEnd, betas),
      ("trained_betas", trainedBetas?.first { !betas.contains($0) }, betas),
      ("clip_sample_range", clipSampleRange, positive),
      ("dynamic_thresholding_ratio", dynamicThresholdingRatio, 0...1),
      ("sample_max_value", sampleMaxValue, positive),
      ("timestep_scaling", timestepScaling, positive),
      ("sigma_min", sigmaMin, positive), ("sigma_max", sigmaMax, positive),
      ("sigma_data", sigmaData, positive), ("rho", rho, 0.1...100), ("s_noise", sNoise, 0...1e6),
      ("shift", shift, positive), ("flow_shift", flowShift, positive),
      ("base_shift", baseShift, any), ("max_shift", maxShift, any),
      ("shift_terminal", shiftTerminal, 0...0.999_999),
    ]
  }

  private func firstOutside<Number>(_ limits: [Limit<Number>]) -> String? {
    for (key, value, range) in limits {
      guard let value, !range.contains(value) else { continue }
      return "\(key) is \(value); it must lie in \(range.lowerBound)...\(range.upperBound)"
    }
    return nil
  }

  /// A text that is none of its choices. Which of them a class takes, its sampler says.
  private var firstUnknown: String? {
    let choices: [(key: String, value: String, choices: [String])] = [
      (
        "algorithm_type", algorithmType,
        [
          "dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis",
          "data_prediction", "noise_prediction",
        ]
      ),
      ("solver_type", solverType, ["midpoint", "heun", "bh1", "bh2", "logrho"]),
    ]
    for (key, value, names) in choices where !names.contains(value) {
      let hint = nearestName(to: value, among: names).map { "; the nearest is \($0)" } ?? ""
      return "\(key) is \(JSON.string(value)), but one of \(names.joined(separator: ", ")) is "
        + "expected\(hint)"
    }
    return nil
  }

  /// Settings that do not go together.
  private var contradiction: String? {
    if let trainedBetas, trainedBetas.count != numTrainTimesteps {
      return "trained_betas lists \(trainedBetas.count) numbers, but num_train_timesteps is "
        + "\(numTrainTimesteps)"
    }
    if rescaleBetasZeroSnr && numTrainTimesteps < 2 {
      return "rescale_betas_zero_snr needs num_train_timesteps of at least 2"
    }
    if let sigmaMin, let sigmaMax, sigmaMin >= sigmaMax {
      return "sigma_min is \(sigmaMin); it must be less than sigma_max, which is \(sigmaMax)"
    }
    if [useKarrasSigmas, useExponentialSigmas, useBetaSigmas].count(where: { $0 }) > 1 {
      return "use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas exclude each other"
    }
    if !(lambdaMinClipped < .infinity) {
      return "lambda_min_clipped is \(lambdaMinClipped); it must be a number or -Infinity"
    }
    return nil
  }
}
