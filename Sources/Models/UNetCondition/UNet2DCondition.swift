import NeuralNets
import Torch

/// The U-Net of latent diffusion models that a prompt guides (Rombach et al. 2022, §3.3; XL: Podell
/// et al. 2023), equal to diffusers' `UNet2DConditionModel` as Stable Diffusion 1.x, 2.x and XL use
/// it.
///
/// Limitations: no residuals of control networks or adapters, no mask over pixels.
public final class UNet2DCondition: Module {
  let convIn: Conv2d
  let timeProj: SinusoidalEmbedding
  let timeEmbedding: TimeLayers
  let classEmbedding: (any Layer)?
  let addTimeProj: SinusoidalEmbedding?
  let addEmbedding: TimeLayers?
  let downBlocks: [DownBlock]
  let upBlocks: [UpBlock]
  let midBlock: MidBlock?
  let convNormOut: GroupNorm
  let convOut: Conv2d
  /// The network's shape.
  public let config: UNetConditionConfig
  /// Where dropout draws from in training; its state belongs into a checkpoint.
  public let dropoutGenerator: Generator
  /// Gradient checkpointing: whether blocks keep their inputs only and run again in `backward`, for
  /// less memory and more work. A prompt's keys and values are then computed by each block.
  public var recomputesBlocks = false

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  ///
  /// The weights are drawn in the order in which diffusers builds its network: equal seeds, equal
  /// weights.
  public init(_ config: UNetConditionConfig, using generator: Generator?) {
    let first = config.blockOutChannels[0]
    let (levels, timeWidth) = (config.blockOutChannels.indices, config.timeWidth)
    let projected = config.projectionClassEmbeddingsInputDim ?? 0
    let activation = config.actFn.activation
    let dropoutGenerator = Generator(seed: (generator?.initialSeed ?? 0) &+ 1)
    let style = ResnetBlock.Style(
      timeWidth: timeWidth, groups: config.normNumGroups, eps: config.normEps,
      activation: activation, conditioning: config.resnetTimeScaleShift,
      dropout: config.dropout > 0 ? Dropout(config.dropout, using: dropoutGenerator) : nil)
    func sines(_ width: Int) -> SinusoidalEmbedding {
      SinusoidalEmbedding(width, cosinesFirst: config.flipSinToCos, shift: config.freqShift)
    }
    func conv(_ inputs: Int, _ outputs: Int, kernel: Int) -> Conv2d {
      Conv2d(
        inputs, outputs, kernel: Extent(kernel), padding: Extent(kernel / 2), using: generator)
    }

    convIn = conv(config.inChannels, first, kernel: config.convInKernel)
    timeProj = sines(first)
    timeEmbedding = TimeLayers(
      first, timeWidth, conditionWidth: config.timeCondProjDim, activation, using: generator)
    classEmbedding =
      switch config.classEmbedType {
      case .timestep: TimeLayers(first, timeWidth, activation, using: generator)
      case .identity: Activation(.identity)
      case .projection: TimeLayers(projected, timeWidth, using: generator)
      case .simpleProjection: Linear(projected, timeWidth, using: generator)
      case nil: config.numClassEmbeds.map { Embedding($0, timeWidth, using: generator) }
      }
    let isXL = config.additionEmbedType == .textTime
    addTimeProj = isXL ? sines(config.additionTimeEmbedDim ?? 0) : nil
    addEmbedding = isXL ? TimeLayers(projected, timeWidth, using: generator) : nil
    downBlocks = levels.map { DownBlock(config, level: $0, style, using: generator) }
    midBlock = config.midBlockType.map { MidBlock(config, $0, style, using: generator) }
    upBlocks = levels.map { UpBlock(config, level: $0, style, using: generator) }
    convNormOut = GroupNorm(groups: config.normNumGroups, channels: first, eps: config.normEps)
    convOut = conv(first, config.outChannels, kernel: config.convOutKernel)
    self.config = config
    self.dropoutGenerator = dropoutGenerator
  }

  /// The same prompt with what every attention makes of it, for the steps of one picture: as long as
  /// the weights stay, the network gives the same with it, faster.
  public func prepared(_ prompt: PromptContext) -> PromptContext {
    let attentions = modules.compactMap { $0 as? TransformerBlock }.flatMap(\.crossAttentions)
    return prompt.to(dtype).projected(by: attentions, of: self)
  }

  /// The type of the weights, and so of what is computed.
  private var dtype: DType { convIn.weight.dtype }

  /// What the network predicts for noisy latents `[N, in, H, W]` at `timesteps`, `[N]` or one for
  /// all, `[]`, with prompts `[N, S, width]`: `[N, out, H, W]`.
  ///
  /// `added` is for networks of Stable Diffusion XL, and only for them. A network with classes needs
  /// `classLabels`: indices `[N]` into its table, numbers `[N]` or vectors, as the configuration
  /// says. `timeCondition`, `[N, time_cond_proj_dim]`, moves the time embedding where the network
  /// has a layer for it. Sizes that `config.problem(forHeight:)` refuses are mistakes of the program.
  public func callAsFunction(
    _ x: Tensor, timesteps: Tensor, prompt: PromptContext, added: AddedConditions? = nil,
    classLabels: Tensor? = nil, timeCondition: Tensor? = nil
  ) -> Tensor {
    let problem = config.problem(forHeight: x.size(2), width: x.size(3))
    precondition(problem == nil, problem ?? "")
    let timesteps = timesteps.reshaped([-1]).expanded([x.size(0)]).to(x.device)
    let time = embedding(timesteps, added, classLabels, timeCondition)

    let centred = (config.centerInputSample ? 2 * x - 1 : x).to(dtype)
    let prompt = prompt.to(dtype)
    var skips = [convIn(centred.contiguous(.channelsLast))]
    for block in downBlocks {
      let inputs = [skips[skips.count - 1], time]
      skips += run(inputs, prompt, outputs: block.outputCount) { inputs, prompt in
        block(inputs[0], time: inputs[1], prompt: prompt)
      }
    }
    var h = skips[skips.count - 1]
    if let midBlock {
      h = run([h, time], prompt) { [midBlock($0[0], time: $0[1], prompt: $1)] }[0]
    }
    for block in upBlocks {
      let given = Array(skips.suffix(block.resnets.count))
      skips.removeLast(given.count)
      let size = skips.last.map { Extent($0.size(2), $0.size(3)) }
      h =
        run([h, time] + given, prompt) { inputs, prompt in
          let skips = Array(inputs.dropFirst(2))
          return [block(inputs[0], skips: skips, time: inputs[1], prompt: prompt, size: size)]
        }[0]
    }
    return convOut(convNormOut(h, then: config.actFn.activation)).inFullPrecision
  }

  /// A block's outputs, kept or to be computed again.
  private func run(
    _ inputs: [Tensor], _ prompt: PromptContext, outputs count: Int = 1,
    _ block: @escaping ([Tensor], PromptContext) -> [Tensor]
  ) -> [Tensor] {
    guard recomputesBlocks else { return block(inputs, prompt) }
    let generator = config.dropout > 0 ? dropoutGenerator : nil
    let bias = prompt.bias
    return Tensor.recomputed(
      inputs + [prompt.states], outputs: count, drawingFrom: generator
    ) { tensors in
      block(Array(tensors.dropLast()), PromptContext(tensors[tensors.count - 1], bias: bias))
    }
  }

  /// The embedding of timesteps, classes and added conditions, `[N, timeWidth]`.
  private func embedding(
    _ timesteps: Tensor, _ added: AddedConditions?, _ classLabels: Tensor?, _ condition: Tensor?
  ) -> Tensor {
    precondition(
      condition == nil || timeEmbedding.condProj != nil, "this network has no time_cond_proj_dim")
    precondition(
      (classEmbedding == nil) == (classLabels == nil),
      classLabels == nil ? "this network needs class labels" : "this network has no classes")
    precondition(
      (addEmbedding == nil) == (added == nil),
      added == nil ? "this network needs added conditions" : "this network has no text_time")
    var time = timeEmbedding(timeProj(timesteps).to(dtype), condition: condition?.to(dtype))
    if let classEmbedding, var labels = classLabels {
      if config.classEmbedType == .timestep { labels = timeProj(labels).to(dtype) }
      time = time + classEmbedding(labels.dtype.isFloatingPoint ? labels.to(dtype) : labels)
    }
    if let addTimeProj, let addEmbedding, let added {
      let sizes = addTimeProj(added.sizes.reshaped([-1])).reshaped([timesteps.size(0), -1])
      time = time + addEmbedding(.concatenated([added.pooled.to(dtype), sizes.to(dtype)], 1))
    }
    return time
  }
}
