import Torch

/// DPM-Solver multistep from a picture up to the noise that gives it back: the inversion with which
/// pictures are edited (Mokady et al. 2023).
public struct DPMMultistepInverseSampler: Sampler {
  private let model: SolverModel
  private let method: DPMMultistep

  /// What the network is told, ascending.
  public var timesteps: [Double] { method.levels.timesteps }

  /// Throws `SamplerError` for settings that the method does not have.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let name = "dpm-solver inversion"
    // Noise that is added backwards in time has no real deviation.
    let settings = try DPMSettings(
      config, equations: [.dataODE, .noiseODE], thirdOrder: [.dataODE, .noiseODE], for: name)
    model = try SolverModel(config, as: settings.equation.quantity, for: name)
    method = DPMMultistep(
      levels: try SolverLevels(ascending: config, request, for: name), settings: settings,
      orders: .few(lowers: config.lowerOrderFinal, eulerAtEnd: config.eulerAtFinal))
  }

  /// One step towards noise.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let word = model(output, from: x, at: method.levels[index])
    return SamplerStep(
      sample: method.step(word.value, at: index, from: x, memory: &memory, noise: noise),
      denoised: word.denoised)
  }

  /// α x + σ ε of the level.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    method.levels[index].mix(x, noise)
  }
}

extension SolverLevels {
  /// The levels of a configuration from the picture up. Spaced ones end at their own last; the
  /// schedule's end at its noisiest.
  fileprivate init(
    ascending config: SchedulerConfig, _ request: SamplingLevels, for name: String
  ) throws(SamplerError) {
    let trained = try TrainingSigmas(config)
    try request.check(trainTimesteps: config.numTrainTimesteps)
    guard case .steps(let count) = request else {
      throw SamplerError("\(name) takes a number of steps, not timesteps or sigmas.")
    }
    guard !config.useFlowSigmas else {
      throw SamplerError("\(name) does not follow a flow; leave out use_flow_sigmas.")
    }
    let kept = try trained.kept(config)
    let spacing = try SigmaSpacing(config)
    guard
      let spaced = try spacing.sigmas(from: trained.largest, to: trained.smallest, count: count)
    else {
      let timesteps = try config.solverTimesteps(count, kept: kept, ascending: true).map(
        Double.init)
      try self.init(
        timesteps: timesteps, sigmas: timesteps.map(trained.sigma) + [trained.sigmas[kept - 1]],
        isFlow: false)
      return
    }
    let sigmas = count == 1 ? [trained.smallest] : spaced.reversed()
    var timesteps = sigmas.map(trained.timestep)
    if spacing == .karras { timesteps = timesteps.map { $0.rounded(.toNearestOrEven) } }
    // As in diffusers, a timestep met twice is told once, and the levels after it move up.
    timesteps = timesteps.enumerated().filter { $0 == 0 || timesteps[$0 - 1] != $1 }.map(\.element)
    try self.init(
      timesteps: timesteps.map { $0.rounded(.down) },
      sigmas: Array((sigmas + [sigmas[count - 1]]).prefix(timesteps.count + 1)), isFlow: false)
  }
}
