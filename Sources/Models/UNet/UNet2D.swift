import NeuralNets
import Torch

/// The U-Net of diffusion models over pictures (Ho et al. 2020, appendix B), equal to diffusers'
/// `UNet2DModel`: levels of residual blocks down to small pictures and up again, with bridges from
/// every layer on the way down to its mirror image on the way up.
public final class UNet2D: Module {
  let convIn: Conv2d
  let timeProj: any Layer
  let timeEmbedding: TimeLayers
  let classEmbedding: (any Layer)?
  let downBlocks: [DownBlock]
  let upBlocks: [UpBlock]
  let midBlock: MidBlock?
  let convNormOut: GroupNorm
  let convOut: Conv2d
  /// The network's shape.
  public let config: UNetConfig
  /// Where dropout draws from in training; its state belongs into a checkpoint.
  public let dropoutGenerator: Generator
  /// Gradient checkpointing: whether blocks keep their inputs only and run again in `backward`, for
  /// less memory and more work.
  public var recomputesBlocks = false
  /// Whether the levels on the way up see those on the way down; without, zeros stand in their
  /// place, for experiments on what skip connections are worth.
  public var usesSkips = true

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  ///
  /// The weights are drawn in the order in which diffusers builds its network: equal seeds, equal
  /// weights.
  public init(_ config: UNetConfig, using generator: Generator?) {
    let first = config.blockOutChannels[0]
    let levels = config.blockOutChannels.indices
    let dropoutGenerator = Generator(seed: (generator?.initialSeed ?? 0) &+ 1)
    let style = ResnetBlock.Style(
      timeWidth: config.timeWidth, groups: config.normNumGroups, eps: config.normEps,
      activation: config.actFn.activation, conditioning: config.resnetTimeScaleShift,
      dropout: config.dropout > 0 ? Dropout(config.dropout, using: dropoutGenerator) : nil)

    convIn = Conv2d(config.inChannels, first, kernel: 3, padding: 1, using: generator)
    timeProj =
      switch config.timeEmbeddingType {
      case .positional:
        SinusoidalEmbedding(
          first, cosinesFirst: config.flipSinToCos, shift: config.freqShift)
      case .fourier: FourierEmbedding(first, scale: 16, using: generator)
      case .learned: Embedding(config.numTrainTimesteps ?? 0, first, using: generator)
      }
    timeEmbedding = TimeLayers(config.timeProjectionWidth, config.timeWidth, using: generator)
    classEmbedding =
      switch config.classEmbedType {
      case .timestep: TimeLayers(config.timeProjectionWidth, config.timeWidth, using: generator)
      case .identity: Activation(.identity)
      case nil: config.numClassEmbeds.map { Embedding($0, config.timeWidth, using: generator) }
      }
    downBlocks = levels.map { DownBlock(config, level: $0, style, using: generator) }
    midBlock = config.midBlockType.map { _ in MidBlock(config, style, using: generator) }
    upBlocks = levels.map { UpBlock(config, level: $0, style, using: generator) }
    convNormOut = GroupNorm(groups: config.normNumGroups, channels: first, eps: config.normEps)
    convOut = Conv2d(first, config.outChannels, kernel: 3, padding: 1, using: generator)
    self.config = config
    self.dropoutGenerator = dropoutGenerator
  }

  /// The type of its weights, which its input must have.
  public var dtype: DType { convIn.weight.dtype }

  /// What the network predicts for noisy pictures `[N, in, H, W]` at `timesteps`, `[N]` or one for
  /// all, `[]`: `[N, out, H, W]`.
  ///
  /// A network with classes needs `classLabels`: indices `[N]` into its table, numbers `[N]` or
  /// vectors `[N, timeWidth]`, as the configuration says. Sizes that `config.problem(forHeight:)`
  /// refuses are mistakes of the program.
  public func callAsFunction(
    _ x: Tensor, timesteps: Tensor, classLabels: Tensor? = nil
  ) -> Tensor {
    let problem = config.problem(forHeight: x.size(2), width: x.size(3))
    precondition(problem == nil, problem ?? "")
    let timesteps = timesteps.reshaped([-1]).expanded([x.size(0)]).to(x.device)
    let time = embedding(timesteps, classLabels, dtype: dtype)

    let centred = config.centerInputSample ? 2 * x - 1 : x
    // Of one channel both layouts are the same, and the convolution takes it for the other one.
    let first = convIn(centred.contiguous(Self.memoryFormat)).contiguous(Self.memoryFormat)
    var skips = [first]
    for block in downBlocks {
      skips += run([skips[skips.count - 1], time], outputs: block.outputCount) {
        block($0[0], time: $0[1])
      }
    }
    var h = skips[skips.count - 1]
    if !usesSkips { skips = skips.map { .zeros(like: $0) } }
    if let midBlock { h = run([h, time]) { [midBlock($0[0], time: $0[1])] }[0] }
    for block in upBlocks {
      let count = block.resnets.count
      h =
        run([h, time] + skips.suffix(count)) {
          [block($0[0], skips: Array($0.dropFirst(2)), time: $0[1])]
        }[0]
      skips.removeLast(count)
    }
    h = convOut(convNormOut(h, then: .silu)).inFullPrecision
    // The timesteps are noise levels σ here, and the network predicts σ times the score (Song et
    // al. 2021).
    return config.timeEmbeddingType == .fourier ? h / timesteps.reshaped([-1, 1, 1, 1]) : h
  }

  /// A block's outputs, kept or to be computed again.
  private func run(
    _ inputs: [Tensor], outputs count: Int = 1, _ block: @escaping ([Tensor]) -> [Tensor]
  ) -> [Tensor] {
    guard recomputesBlocks else { return block(inputs) }
    let generator = config.dropout > 0 ? dropoutGenerator : nil
    return Tensor.recomputed(inputs, outputs: count, drawingFrom: generator, block)
  }

  /// How pictures lie in memory from the first convolution on; layers keep what they are given.
  private static let memoryFormat = MemoryFormat.channelsLast

  /// The embedding of timesteps and classes, `[N, timeWidth]`.
  private func embedding(_ timesteps: Tensor, _ classLabels: Tensor?, dtype: DType) -> Tensor {
    let indices = config.timeEmbeddingType == .learned ? timesteps.to(.int64) : timesteps
    let time = timeEmbedding(timeProj(indices).to(dtype))
    precondition(
      (classEmbedding == nil) == (classLabels == nil),
      classLabels == nil ? "this network needs class labels" : "this network has no classes")
    guard let classEmbedding, var labels = classLabels else { return time }
    if config.classEmbedType == .timestep { labels = timeProj(labels).to(dtype) }
    return time + classEmbedding(labels)
  }
}
