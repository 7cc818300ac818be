extension SchedulerClass {
  /// The sampler of this class for a configuration and the levels asked for. `eta` is DDIM's η and
  /// TCD's γ, `mu` the shift of flows that shift by the picture's size; other methods leave them
  /// unread.
  ///
  /// Throws `SamplerError` for what the method cannot do.
  public func sampler(
    _ config: SchedulerConfig, _ levels: SamplingLevels, eta: Double? = nil,
    mu: Double? = nil
  ) throws(SamplerError) -> any Sampler {
    switch self {
    case .ddpm: try DDPMSampler(config, levels)
    case .ddim: try DDIMSampler(config, levels, eta: eta ?? 0)
    case .dpmMultistep: try DPMMultistepSampler(config, levels, mu: mu)
    case .dpmMultistepInverse: try DPMMultistepInverseSampler(config, levels)
    case .dpmSinglestep: try DPMSinglestepSampler(config, levels, mu: mu)
    case .uniPC: try UniPCSampler(config, levels, mu: mu)
    case .deis: try DEISSampler(config, levels, mu: mu)
    case .saSolver: try SASolverSampler(config, levels)
    case .euler: try EulerSampler(config, levels)
    case .eulerAncestral: try EulerAncestralSampler(config, levels)
    case .heun: try HeunSampler(config, levels)
    case .lms: try LMSSampler(config, levels)
    case .dpm2: try DPM2Sampler(config, levels)
    case .dpm2Ancestral: try DPM2AncestralSampler(config, levels)
    case .edmEuler: try EDMEulerSampler(config, levels)
    case .edmDPM: try EDMDPMSampler(config, levels)
    case .flowEuler: try FlowEulerSampler(config, levels, mu: mu)
    case .flowHeun: try FlowHeunSampler(config, levels)
    case .ddimInverse: try DDIMInverseSampler(config, levels)
    case .pndm: try PNDMSampler(config, levels)
    case .lcm: try LCMSampler(config, levels)
    case .tcd: try TCDSampler(config, levels, gamma: eta ?? 0.3)
    case .unCLIP: try UnCLIPSampler(config, levels)
    case .consistency: try ConsistencySampler(config, levels)
    }
  }
}
