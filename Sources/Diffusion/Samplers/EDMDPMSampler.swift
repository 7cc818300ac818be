import Torch

/// DPM-Solver++ multistep (Lu et al. 2022b) for networks with EDM's preconditioning, whose levels
/// are x = x_0 + σ ε (Karras et al. 2022).
public struct EDMDPMSampler: Sampler {
  private let network: EDMLevels
  private let clipping: Clipping
  private let method: DPMMultistep

  /// ¼ log σ.
  public var timesteps: [Double] { network.timesteps }

  /// √(σ_max² + 1).
  public var initialScale: Double { network.initialScale }

  /// Throws `SamplerError` for settings that the method does not have.
  public init(_ config: SchedulerConfig, _ request: SamplingLevels) throws(SamplerError) {
    let name = "edm dpm-solver"
    let settings = try DPMSettings(
      config, equations: [.dataODE, .dataSDE], thirdOrder: [.dataODE, .dataSDE],
      for: name)
    network = try EDMLevels(config, request, for: name)
    clipping = Clipping(config)
    // diffusers ends at sigma_min itself, also where one step begins at sigma_max.
    let last = network.sigmas[network.timesteps.count - 1]
    let end = config.finalSigmasType == .sigmaMin ? min(config.sigmaMin ?? last, last) : 0
    method = DPMMultistep(
      levels: try SolverLevels(
        timesteps: network.timesteps,
        signals: (network.sigmas.dropLast() + [end]).map { SignalLevel(alpha: 1, sigma: $0) }),
      settings: settings,
      orders: .few(lowers: config.lowerOrderFinal, eulerAtEnd: config.eulerAtFinal))
  }

  /// c_in x.
  public func modelInput(_ x: Tensor, at index: Int) -> Tensor {
    network.modelInput(x, sigma: network.sigmas[index])
  }

  /// One step with as many words as the order takes.
  public func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep {
    let start = clipping(network.start(output, from: x, sigma: network.sigmas[index]))
    return SamplerStep(
      sample: method.step(start, at: index, from: x, memory: &memory, noise: noise),
      denoised: start)
  }

  /// x + σ ε.
  public func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor {
    method.levels[index].mix(x, noise)
  }
}
