import NeuralNets
import Torch

/// The bottom of a U-Net: attention, unless switched off, between two residual blocks.
/// `[N, C, H, W]` unchanged in shape.
final class MidBlock: Module {
  let attentions: [AttentionBlock]
  let resnets: [ResnetBlock]

  init(_ config: UNetConfig, _ style: ResnetBlock.Style, using generator: Generator?) {
    let width = config.blockOutChannels[config.blockOutChannels.count - 1]
    var style = style
    style.outputScale = config.midBlockScaleFactor
    let groups =
      config.attnNormNumGroups
      ?? (config.resnetTimeScaleShift == .shift ? config.normNumGroups : nil)
    let first = ResnetBlock(width, width, style, using: generator)
    attentions = (config.addAttention ? [groups] : []).map {
      AttentionBlock(
        width, heads: width / (config.attentionHeadDim ?? width), groups: $0, eps: config.normEps,
        outputScale: config.midBlockScaleFactor, using: generator)
    }
    resnets = [first, ResnetBlock(width, width, style, using: generator)]
  }

  func callAsFunction(_ x: Tensor, time: Tensor) -> Tensor {
    let h = attentions.reduce(resnets[0](x, time: time)) { $1($0) }
    return resnets[1](h, time: time)
  }
}
