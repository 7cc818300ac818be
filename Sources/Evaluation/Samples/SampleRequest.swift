import Diffusion
import Torch
import Training

/// How new pictures are drawn for measuring: what `latent sample` would draw with the same flags.
public struct SampleRequest: Sendable {
  /// The seed of picture 0; picture i is drawn with seed + i.
  public var seed: UInt64
  /// A diffusion model's steps.
  public var steps: Int?
  /// A diffusion model's sampler; `nil` for its own.
  public var sampler: SamplerName?
  /// η of DDIM.
  public var eta: Double?
  /// The spacing of noise levels; `nil` for the model's own.
  public var spacing: SigmaSpacing?
  /// How strongly classes are followed.
  public var guidance: Guidance
  /// Where the codes of a generator are cut off; `nil` for nowhere.
  public var truncation: Double?

  /// What `latent sample` draws without flags.
  public init(
    seed: UInt64, steps: Int? = nil, sampler: SamplerName? = nil, eta: Double? = nil,
    spacing: SigmaSpacing? = nil, guidance: Guidance = Guidance(),
    truncation: Double? = nil
  ) {
    self.seed = seed
    self.steps = steps
    self.sampler = sampler
    self.eta = eta
    self.spacing = spacing
    self.guidance = guidance
    self.truncation = truncation
  }

  /// The request in words, for reports.
  public func description(for model: any TrainedModel) -> String {
    if model is TrainedGAN {
      return "the generator of draws from N(0, 1)"
        + (truncation.map { ", truncated at \($0)" } ?? "")
    }
    guard let diffusion = model as? TrainedDiffusion else { return "draws from N(0, 1), decoded" }
    let scheduler = diffusion.pipeline.scheduler
    let name = sampler?.rawValue ?? scheduler.schedulerClass.rawValue
    let count = steps ?? min(50, scheduler.config.numTrainTimesteps)
    var text = "\(name), \(count) steps"
    if let eta { text += ", eta \(eta)" }
    if let spacing { text += ", sigmas \(spacing)" }
    if guidance != Guidance() {
      text += ", guidance \(guidance.scale)"
      if guidance.rescale != 0 { text += " rescaled by \(guidance.rescale)" }
      if guidance.interval != 0...1 { text += " in \(guidance.interval)" }
    }
    return text
  }
}

/// New pictures of a model.
public struct Samples {
  /// `[N, C, H, W]` in [0, 1], in 256 levels a value, as a PNG would hold them.
  public let pictures: Tensor
  /// The classes that were asked for; `nil` where a model is told none.
  public let labels: [Int]?
  /// Seconds that drawing took, those of earlier sittings included.
  public let seconds: Double
}
