import ArgumentParser
import Diffusion
import Models
import Torch

/// How a diffusion model samples.
struct DenoisingOptions: ParsableArguments {
  @Option(help: "Steps of the sampler (default: 20 from a prompt, else 50).")
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "The sampler; `latent samplers` lists them (default: the model's own).", valueName: "name"))
  var sampler: SamplerName?

  @Option(
    help: ArgumentHelp(
      """
      How strongly the prompt or the class is followed: 1 as it was learned, 3 clearly (default: \
      the model's own or 7.5 for a prompt, 1 for a class).
      """,
      valueName: "w"))
  var guidance: Double?

  @Option(
    help: ArgumentHelp(
      "The share of a guided prediction that is brought back to its natural contrast, 0...1.",
      valueName: "r"))
  var guidanceRescale: Double?

  @Option(
    help: ArgumentHelp(
      "The shares of the noise levels in which guidance acts, such as 0.2-0.8.",
      valueName: "from-to"))
  var guidanceInterval: LevelInterval?

  @Option(
    help: "The noise that ddim adds on the way: 0 none, 1 as much as ddpm (tcd: its gamma).")
  var eta: Double?

  @Option(help: "The spacing of noise levels (default: the model's own).")
  var sigmas: SigmaSpacing?

  mutating func validate() throws {
    if let steps, steps < 1 { throw ValidationError("--steps is \(steps); it must be positive.") }
    if let guidance, !(guidance.isFinite && abs(guidance) <= 1000) {
      throw ValidationError("--guidance is \(guidance); it must lie in -1000...1000.")
    }
    if let guidanceRescale, !(0...1).contains(guidanceRescale) {
      throw ValidationError("--guidance-rescale is \(guidanceRescale); it must lie in 0...1.")
    }
    if let eta, !(0...1).contains(eta) {
      throw ValidationError("--eta is \(eta); it must lie in 0...1.")
    }
  }

  /// The guidance that the flags ask for.
  var wanted: Guidance {
    Guidance(
      scale: guidance ?? 1, rescale: guidanceRescale ?? 0,
      interval: guidanceInterval?.range ?? 0...1)
  }

  /// What flags do not do with this guidance and this sampler that a person may expect of them;
  /// `more` are flags that nothing but guidance looks at.
  static func notes(
    on guidance: Guidance, eta: Double?, sampler: SchedulerClass, of own: SchedulerClass,
    _ more: (flag: String, isGiven: Bool)
  ) -> [String] {
    var notes: [String] = []
    if eta != nil, ![SchedulerClass.ddim, .tcd].contains(sampler) {
      notes.append("--eta does nothing to \(sampler.rawValue); it is for ddim and tcd")
    }
    if guidance.scale == 1 {
      for (flag, isGiven) in [
        more, ("--guidance-rescale", guidance.rescale > 0),
        ("--guidance-interval", guidance.interval != 0...1),
      ] where isGiven {
        notes.append("\(flag) does nothing without --guidance")
      }
    }
    if [.edmEuler, .edmDPM, .consistency].contains(sampler), sampler != own {
      notes.append(
        "\(sampler.rawValue) is for networks that were trained for it, which this one was not")
    }
    return notes
  }

  /// The first flag that was given, for commands that can do nothing with it.
  var given: String? {
    let flags: [(name: String, isGiven: Bool)] = [
      ("--steps", steps != nil), ("--sampler", sampler != nil), ("--guidance", guidance != nil),
      ("--guidance-rescale", guidanceRescale != nil),
      ("--guidance-interval", guidanceInterval != nil), ("--eta", eta != nil),
      ("--sigmas", sigmas != nil),
    ]
    return flags.first(where: \.isGiven)?.name
  }
}

/// The noise `[N, C, H, W]` under the key `latents` of a file, for `count` pictures where that is
/// given.
func startingNoise(_ path: String, count: Int?) throws -> Tensor {
  guard let found = try Weights.read(path)["latents"], found.rank == 4, found.size(0) > 0,
    found.dtype.isFloatingPoint, found.isFinite().all().to(.int64).intItem() == 1
  else {
    throw CommandError("\(path): it holds no tensor \"latents\" [N, C, H, W] of finite numbers")
  }
  guard (count ?? found.size(0)) == found.size(0) else {
    throw CommandError(
      "\(path): it holds the noise of \(found.size(0)) pictures, not of \(count ?? 0); leave "
        + "--count out")
  }
  return found.to(.float32)
}

/// Shares of the noise levels, written as `0.2-0.8`.
struct LevelInterval: ExpressibleByArgument {
  let range: ClosedRange<Double>

  init?(argument: String) {
    let ends = argument.split(separator: "-").compactMap { Double($0) }
    guard ends.count == 2, 0 <= ends[0], ends[0] <= ends[1], ends[1] <= 1 else { return nil }
    range = ends[0]...ends[1]
  }
}

extension SamplerName: ExpressibleByArgument {
  /// The names that help offers: those that draw pictures.
  public static var allValueStrings: [String] { allCases.filter { !$0.isInverse }.map(\.rawValue) }
}

extension SigmaSpacing: ExpressibleByArgument {
  /// The names that `--sigmas` takes.
  public init?(argument: String) {
    switch argument {
    case "karras": self = .karras
    case "exponential": self = .exponential
    case "beta": self = .beta
    case "lu": self = .lu
    default: return nil
    }
  }

  /// The name that `--sigmas` takes.
  public var defaultValueDescription: String { "\(self)" }

  /// The names that `--sigmas` takes.
  public static var allValueStrings: [String] { ["karras", "exponential", "beta", "lu"] }
}
