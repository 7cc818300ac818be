import Torch

extension TextToImagePipeline {
  /// What should be drawn.
  public struct Request {
    /// What the pictures show. Words are weighed with `(word:1.3)`, as `PromptWeights` says.
    public var prompt: String
    /// What they should not show; without a text, guidance leads away from no text at all.
    public var negativePrompt: String
    /// How many pictures.
    public var count: Int
    /// Picture i is drawn with `seed + i`.
    public var seed: UInt64
    /// Steps; `nil`: 20, or all where that is fewer.
    public var steps: Int?
    /// The sampler; `nil`: the scheduler's own.
    public var sampler: SamplerName?
    /// DDIM's η and TCD's γ; `nil`: 0, as in diffusers' pipelines. Other samplers have none.
    public var eta: Double?
    /// The spacing of σ for samplers that have one; `nil`: the scheduler's.
    public var spacing: SigmaSpacing?
    /// How strongly the prompt is followed. A scale of 1 or less follows it as it was learned, in one
    /// forward a step, as in diffusers.
    public var guidance: Guidance
    /// Height and width in pixels; `nil`: those of `start`, or the network's own.
    public var size: Extent?
    /// How many of the text encoder's last layers the prompt passes by; never the negative one, as in
    /// diffusers.
    public var clipSkip: Int
    /// Unit noise in place of drawn noise, `[count, C, h, w]`.
    public var latents: Tensor?
    /// The picture to start from; `nil`: noise.
    public var start: Start?

    /// A request; by default one picture in 20 steps of the scheduler's own sampler.
    public init(
      prompt: String, negativePrompt: String = "", count: Int = 1, seed: UInt64, steps: Int? = nil,
      sampler: SamplerName? = nil, eta: Double? = nil, spacing: SigmaSpacing? = nil,
      guidance: Guidance = Guidance(scale: 7.5), size: Extent? = nil, clipSkip: Int = 0,
      latents: Tensor? = nil, start: Start? = nil
    ) {
      self.prompt = prompt
      self.negativePrompt = negativePrompt
      self.count = count
      self.seed = seed
      self.steps = steps
      self.sampler = sampler
      self.eta = eta
      self.spacing = spacing
      self.guidance = guidance
      self.size = size
      self.clipSkip = clipSkip
      self.latents = latents
      self.start = start
    }
  }

  /// A picture to start from.
  public struct Start {
    /// `[1, 3, H, W]` in [0, 1], as large as the pictures wanted.
    public var picture: Tensor
    /// The share of the steps that are done: little keeps the picture, 1 draws it anew.
    public var strength: Double
    /// `[1, 1, H, W]`: from ½ on a pixel is painted anew, others stay; `nil`: all change.
    public var mask: Tensor?

    /// A start from a picture.
    public init(picture: Tensor, strength: Double = 0.8, mask: Tensor? = nil) {
      self.picture = picture
      self.strength = strength
      self.mask = mask
    }
  }

  /// What was drawn.
  public struct Generated {
    /// The latents that the sampler ends with, `[N, C, h, w]`.
    public let latents: Tensor
    /// The pictures, `[N, 3, H, W]` in [0, 1].
    public let images: Tensor
    /// What became of the request that it does not say, such as words that were cut off.
    public let notes: [String]
  }

  /// Height and width of a request's pictures; `nil` where neither it nor the network says.
  func extent(of request: Request) -> Extent? {
    request.size
      ?? request.start.map { Extent($0.picture.size(2), $0.picture.size(3)) } ?? usualSize
  }
}
