/// The samplers by the names that `--sampler` takes.
public enum SamplerName: String, Sendable, CaseIterable {
  case ddpm, ddim, ddimInverse = "ddim-inverse", pndm, euler
  case eulerAncestral = "euler-a"
  case heun, lms, dpm2
  case dpm2Ancestral = "dpm2-a"
  case dpmpp2M = "dpmpp-2m"
  case dpmpp2MSDE = "dpmpp-2m-sde"
  case dpmpp2MInverse = "dpmpp-2m-inverse"
  case dpmpp2S = "dpmpp-2s"
  case uniPC = "unipc"
  case deis
  case saSolver = "sa-solver"
  case lcm, tcd
  case edmEuler = "edm-euler"
  case edmDPM = "edm-dpmpp-2m"
  case consistency = "cm"
  case unCLIP = "unclip"
  case flowEuler = "flow-euler"
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
