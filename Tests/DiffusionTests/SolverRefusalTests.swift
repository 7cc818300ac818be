import Interchange
import TestSupport
import Testing
import Torch

@testable import Diffusion

@Suite struct SolverRefusalTests {
  /// A configuration that a class cannot follow, and what the sentence has to name.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let scheduler: SchedulerClass
    let config: String
    var levels = SamplingLevels.steps(10)
    let names: String

    var testDescription: String { "\(scheduler.rawValue) \(config) \(levels)" }
  }

  static let refusals: [Refusal] =
    SchedulerClass.solvers.flatMap { scheduler in
      [
        Refusal(scheduler: scheduler, config: "{}", levels: .steps(0), names: "at least one"),
        Refusal(scheduler: scheduler, config: "{}", levels: .steps(1001), names: "1001 steps"),
        Refusal(
          scheduler: scheduler,
          config: scheduler == .saSolver ? #"{"predictor_order": 5}"# : #"{"solver_order": 7}"#,
          names: "order"),
        Refusal(
          scheduler: scheduler,
          config: scheduler == .saSolver ? #"{"corrector_order": 0}"# : #"{"solver_order": 0}"#,
          names: "order"),
        Refusal(
          scheduler: scheduler, config: #"{"prediction_type": "flow_prediction"}"#, names: "flow"),
      ]
    }
    + SchedulerClass.scheduled.flatMap { scheduler in
      [
        Refusal(
          scheduler: scheduler,
          config: #"{"use_karras_sigmas": true, "use_exponential_sigmas": true}"#,
          names: "use_karras_sigmas, use_exponential_sigmas"),
        Refusal(
          scheduler: scheduler, config: #"{"use_flow_sigmas": true, "use_beta_sigmas": true}"#,
          names: "use_flow_sigmas"),
        Refusal(
          scheduler: scheduler, config: #"{"trained_betas": [0.1, 0.2]}"#, names: "trained_betas"),
        Refusal(scheduler: scheduler, config: #"{"beta_end": 3.0}"#, names: "betas"),
        Refusal(
          scheduler: scheduler, config: #"{"num_train_timesteps": 0}"#, names: "num_train"),
        Refusal(
          scheduler: scheduler, config: "{}", levels: .sigmas([3, 1]), names: "sigmas"),
        // Rounded to whole timesteps, 1000 of 1001 even places fall on one another.
        Refusal(scheduler: scheduler, config: "{}", levels: .steps(1000), names: "level twice"),
      ]
    } + [
      Refusal(
        scheduler: .dpmMultistep, config: #"{"algorithm_type": "dpmsolver+"}"#,
        names: "did you mean dpmsolver"),
      Refusal(
        scheduler: .dpmMultistep, config: #"{"solver_type": "cleverest"}"#, names: "midpoint, heun"),
      Refusal(
        scheduler: .dpmMultistep, config: #"{"algorithm_type": "dpmsolver"}"#, names: "sigma_min"),
      Refusal(
        scheduler: .dpmMultistep,
        config: """
          {"algorithm_type": "sde-dpmsolver", "solver_order": 3, "final_sigmas_type": "sigma_min"}
          """, names: "from 1 to 2"),
      Refusal(
        scheduler: .dpmMultistep, config: #"{"lambda_min_clipped": 100}"#,
        names: "lambda_min_clipped"),
      Refusal(
        scheduler: .dpmMultistep,
        config: #"{"timestep_spacing": "leading", "steps_offset": 9223372036854775807}"#,
        names: "steps_offset"),
      Refusal(
        scheduler: .dpmMultistep, config: #"{"use_karras_sigmas": true}"#,
        levels: .timesteps([900, 500, 100]), names: "timesteps"),
      Refusal(
        scheduler: .dpmMultistep, config: #"{"use_flow_sigmas": true, "flow_shift": -1}"#,
        names: "positive"),
      Refusal(
        scheduler: .dpmMultistepInverse, config: #"{"algorithm_type": "sde-dpmsolver++"}"#,
        names: "dpmsolver++, dpmsolver;"),
      Refusal(
        scheduler: .dpmMultistepInverse, config: "{}", levels: .timesteps([900, 100]),
        names: "number of steps"),
      Refusal(
        scheduler: .dpmSinglestep, config: #"{"algorithm_type": "sde-dpmsolver"}"#,
        names: "sde-dpmsolver++"),
      Refusal(
        scheduler: .uniPC, config: #"{"use_flow_sigmas": true, "use_dynamic_shifting": true}"#,
        names: "mu"),
      Refusal(scheduler: .uniPC, config: #"{"predict_x0": false}"#, names: "sigma_min"),
      Refusal(scheduler: .uniPC, config: #"{"shift_terminal": 0.1}"#, names: "shift_terminal"),
      Refusal(
        scheduler: .uniPC, config: #"{"use_flow_sigmas": true}"#, levels: .sigmas([2, 1]),
        names: "between 0 and 1"),
      Refusal(
        scheduler: .uniPC,
        config: #"{"use_karras_sigmas": true, "sigma_min": 1.0, "sigma_max": 1.0}"#,
        names: "sigma_max 1.0"),
      Refusal(scheduler: .deis, config: #"{"algorithm_type": "euler"}"#, names: "deis"),
      Refusal(
        scheduler: .saSolver, config: #"{"algorithm_type": "data"}"#, names: "data_prediction"),
      Refusal(scheduler: .edmDPM, config: #"{"sigma_min": 0.0}"#, names: "sigma_min"),
    ]

  @Test(arguments: refusals)
  func refusedInOneSentence(_ refusal: Refusal) throws {
    let config = try refusal.scheduler.configuration(JSON(parsing: refusal.config))
    let error = #expect(throws: SamplerError.self) {
      try refusal.scheduler.sampler(config, refusal.levels)
    }
    let sentence = error?.sentence ?? ""
    #expect(sentence.contains(refusal.names), "\(sentence)")
  }

  /// Settings that meet in every combination.
  static let choices = [
    (1...3).map {
      """
      "solver_order": \($0), "predictor_order": \($0), "corrector_order": \($0)
      """
    },
    [#""final_sigmas_type": "zero""#, #""final_sigmas_type": "sigma_min""#],
    [#""lower_order_final": true"#, #""lower_order_final": false"#],
    [
      #""use_karras_sigmas": true"#, #""use_flow_sigmas": true"#, #""solver_type": "bh1""#,
      #""solver_type": "heun""#, #""timestep_spacing": "trailing""#,
    ],
  ]

  /// Whatever a configuration combines, a sampler of it is refused or gives finite pictures.
  @Test(arguments: SchedulerClass.solvers)
  func neverNotANumber(_ scheduler: SchedulerClass) throws {
    let combined = Self.choices.reduce([[String]]([[]])) { all, more in
      all.flatMap { chosen in more.map { chosen + [$0] } }
    }
    for settings in combined {
      let text = "{\(settings.joined(separator: ", "))}"
      let config = try scheduler.configuration(JSON(parsing: text))
      for steps in [1, 2, 3, 16] {
        guard let sampler = try? scheduler.sampler(config, .steps(steps)) else { continue }
        #expect(run(sampler).abs().max().item() < 1e6, "\(steps) steps of \(text)")
      }
    }
  }

  /// A sampling with a network that finds no noise, from noise of the first level.
  private func run(_ sampler: any Sampler) -> Tensor {
    let noise = NoiseSource(seed: 1, count: 1)
    var x = noise.draw([1, 1, 2, 2]) * sampler.initialScale
    var memory = SamplerMemory()
    for index in sampler.timesteps.indices {
      let output = sampler.modelInput(x, at: index) / 2
      x = sampler.step(output, at: index, from: x, memory: &memory, noise: noise).sample
    }
    return x
  }
}

extension SchedulerClass {
  /// The classes of this suite.
  static let solvers: [SchedulerClass] = [
    .dpmMultistep, .dpmMultistepInverse, .dpmSinglestep, .uniPC, .deis, .saSolver, .edmDPM,
  ]
  /// Those that take their levels from a noise schedule.
  static let scheduled = solvers.filter { $0 != .edmDPM }
}
