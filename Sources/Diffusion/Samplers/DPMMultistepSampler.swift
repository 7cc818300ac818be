import Torch

/// DPM-Solver and DPM-Solver++, multistep, of orders one to three, for the probability flow and for
/// the reverse diffusion (Lu et al. 2022a, 2022b).
public struct DPMMultistepSampler: Sampler {
  private let model: SolverModel
  private let method: DPMMultistep

  /// What the network is told, an entry a call of it.
  public var timesteps: [Double] { method.levels.timesteps }

  /// `mu` is the flow's shift for the size of the picture, where a configuration shifts dynamically.
  ///
  /// Throws `SamplerError` for settings that the method does not have.
  public init(
    _ config: SchedulerConfig, _ request: SamplingLevels, mu: Double? = nil
  ) throws(SamplerError) {
    let name = "dpm-solver multistep"
    let settings = try DPMSettings(
      config, thirdOrder: [.dataODE, .noiseODE, .dataSDE], for: name)
    let end = config.finalLevel()
    if end == .clean { try settings.requireData(for: name) }
    model = try SolverModel(config, as: settings.equation.quantity, for: name)
    method = DPMMultistep(
      levels: try SolverLevels(
        config, request, end: end, keepsFractions: config.betaSchedule == .cosine, mu: mu,
        for: name),
      settings: settings,
      orders: .few(lowers: config.lowerOrderFinal, eulerAtEnd: config.eulerAtFinal))
  }

  /// One step with as many words as the order takes.
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
