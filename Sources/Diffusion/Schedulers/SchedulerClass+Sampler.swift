extension SchedulerClass {
  /// The sampler of this class for a configuration and the levels asked for. `eta` is DDIM's η and
  /// TCD's γ; other methods leave it unread.
  ///
  /// Throws `SamplerError` for what the method cannot do.
  public func sampler(
    _ config: SchedulerConfig, _ levels: SamplingLevels, eta: Double? = nil
  ) throws(SamplerError) -> any Sampler {
    switch self {
    case .ddpm: try DDPMSampler(config, levels)
    case .ddim: try DDIMSampler(config, levels, eta: eta ?? 0)
    case .ddimInverse: try DDIMInverseSampler(config, levels)
    case .pndm: try PNDMSampler(config, levels)
    case .lcm: try LCMSampler(config, levels)
    case .tcd: try TCDSampler(config, levels, gamma: eta ?? 0.3)
    case .unCLIP: try UnCLIPSampler(config, levels)
    case .consistency: try ConsistencySampler(config, levels)
    default: throw SamplerError("\(rawValue) is not there.")
    }
  }
}
