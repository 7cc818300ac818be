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
