/// The samplers by the names that `--sampler` takes.
public enum SamplerName: String, Sendable, CaseIterable {
  /// `DDPMSampler`: ancestral, noise at every step.
  case ddpm
  /// `DDIMSampler`: without noise on the way unless asked for.
  case ddim
  /// `DDIMInverseSampler`: from a picture to its noise.
  case ddimInverse = "ddim-inverse"
  /// `PNDMSampler`: Runge–Kutta steps, then multistep ones.
  case pndm
  /// `EulerSampler`: one slope a step.
  case euler
  /// `EulerAncestralSampler`: Euler with fresh noise.
  case eulerAncestral = "euler-a"
  /// `HeunSampler`: the mean of two slopes.
  case heun
  /// `LMSSampler`: the last four slopes.
  case lms
  /// `DPM2Sampler`: the slope half-way.
  case dpm2
  /// `DPM2AncestralSampler`: the slope half-way, with fresh noise.
  case dpm2Ancestral = "dpm2-a"
  /// `DPMMultistepSampler` of order 2 in x_0.
  case dpmpp2M = "dpmpp-2m"
  /// `DPMMultistepSampler` of order 2 in x_0 for the reverse diffusion.
  case dpmpp2MSDE = "dpmpp-2m-sde"
  /// `DPMMultistepInverseSampler`: from a picture to its noise.
  case dpmpp2MInverse = "dpmpp-2m-inverse"
  /// `DPMSinglestepSampler` in x_0.
  case dpmpp2S = "dpmpp-2s"
  /// `UniPCSampler`: predictor and corrector.
  case uniPC = "unipc"
  /// `DEISSampler`: polynomials in log ρ.
  case deis
  /// `SASolverSampler`: predictor and corrector of a reverse diffusion.
  case saSolver = "sa-solver"
  /// `LCMSampler`, for latent consistency models.
  case lcm
  /// `TCDSampler`, for trajectory consistency models.
  case tcd
  /// `EDMEulerSampler`, for networks with EDM's preconditioning.
  case edmEuler = "edm-euler"
  /// `EDMDPMSampler`, for networks with EDM's preconditioning.
  case edmDPM = "edm-dpmpp-2m"
  /// `ConsistencySampler`, for consistency models.
  case consistency = "cm"
  /// `UnCLIPSampler`: ancestral, as unCLIP was trained.
  case unCLIP = "unclip"
  /// `FlowEulerSampler`, for rectified flows.
  case flowEuler = "flow-euler"
  /// `FlowHeunSampler`, for rectified flows.
  case flowHeun = "flow-heun"

  /// The class of diffusers that does it.
  public var schedulerClass: SchedulerClass {
    switch self {
    case .ddpm: .ddpm
    case .ddim: .ddim
    case .ddimInverse: .ddimInverse
    case .pndm: .pndm
    case .euler: .euler
    case .eulerAncestral: .eulerAncestral
    case .heun: .heun
    case .lms: .lms
    case .dpm2: .dpm2
    case .dpm2Ancestral: .dpm2Ancestral
    case .dpmpp2M, .dpmpp2MSDE: .dpmMultistep
    case .dpmpp2MInverse: .dpmMultistepInverse
    case .dpmpp2S: .dpmSinglestep
    case .uniPC: .uniPC
    case .deis: .deis
    case .saSolver: .saSolver
    case .lcm: .lcm
    case .tcd: .tcd
    case .edmEuler: .edmEuler
    case .edmDPM: .edmDPM
    case .consistency: .consistency
    case .unCLIP: .unCLIP
    case .flowEuler: .flowEuler
    case .flowHeun: .flowHeun
    }
  }
}

extension SamplerName {
  /// Whether it goes from a picture to its noise.
  public var isInverse: Bool { self == .ddimInverse || self == .dpmpp2MInverse }

  /// What it is, in a few words.
  public var summary: String {
    switch self {
    case .ddpm: "the ancestral sampler of DDPM: best with all levels, noise at every step"
    case .ddim: "DDIM: without noise on the way (--eta 0), good in 20 to 50 steps"
    case .ddimInverse: "DDIM backwards: from a picture to the noise that draws it"
    case .pndm: "pseudo numerical method with Runge-Kutta steps at the beginning"
    case .euler: "Euler's method over the noise levels"
    case .eulerAncestral: "Euler's method with fresh noise at every step"
    case .heun: "Heun's second-order method, two calls of the network a step"
    case .lms: "linear multistep method of order 4"
    case .dpm2: "DPM-Solver-2, two calls of the network a step"
    case .dpm2Ancestral: "DPM-Solver-2 with fresh noise at every step"
    case .dpmpp2M: "DPM-Solver++ 2M: good in 10 to 20 steps"
    case .dpmpp2MSDE: "DPM-Solver++ 2M with fresh noise at every step"
    case .dpmpp2MInverse: "DPM-Solver++ 2M backwards: from a picture to the noise that draws it"
    case .dpmpp2S: "DPM-Solver++ singlestep"
    case .uniPC: "unified predictor-corrector: good in 10 steps"
    case .deis: "exponential integrator with polynomial extrapolation"
    case .saSolver: "stochastic Adams solver, predictor and corrector"
    case .lcm: "for latent consistency models: 1 to 8 steps"
    case .tcd: "for trajectory consistency models: 1 to 8 steps (--eta is its gamma)"
    case .edmEuler: "Euler's method for networks trained as in EDM"
    case .edmDPM: "DPM-Solver++ 2M for networks trained as in EDM"
    case .consistency: "for consistency models: 1 or 2 steps"
    case .unCLIP: "the sampler of unCLIP's prior and decoder"
    case .flowEuler: "Euler's method for rectified flows"
    case .flowHeun: "Heun's method for rectified flows, two calls of the network a step"
    }
  }
}
