import NeuralNets
import Torch

/// A level of a U-Net on the way up: residual blocks that also see what the way down put aside,
/// attention after each where the level has it, and something that doubles the picture unless the
/// level is the last.
final class UpBlock: Module {
  let attentions: [AttentionBlock]
  let resnets: [ResnetBlock]
  let upsamplers: [any TimedLayer]

  /// `level` counts from the smallest picture.
  init(_ config: UNetConfig, level: Int, _ style: ResnetBlock.Style, using generator: Generator?) {
    let type = config.upBlockTypes[level]
    let width = config.blockOutChannels[config.blockOutChannels.count - 1 - level]
    var attentions: [AttentionBlock] = []
    var resnets: [ResnetBlock] = []
    for (below, skip) in config.upInputs(level) {
      resnets.append(ResnetBlock(below + skip, width, style, using: generator))
      if type == .attention {
        attentions.append(config.attentionBlock(width, using: generator))
      }
    }
    self.attentions = attentions
    self.resnets = resnets
    upsamplers =
      switch config.upsampling(level) {
      case nil: []
      case .conv: [Upsample2D(width, width, using: generator)]
      case .resnet: [ResnetBlock(width, width, style, .double, using: generator)]
      }
  }

  /// `[N, C, H, W]` and one skip a residual block, the last for the first: twice the size.
  func callAsFunction(_ x: Tensor, skips: [Tensor], time: Tensor) -> Tensor {
    var h = x
    for (layer, (resnet, skip)) in zip(resnets, skips.reversed()).enumerated() {
      h = resnet(.concatenated([h, skip], 1), time: time)
      if !attentions.isEmpty { h = attentions[layer](h) }
    }
    return upsamplers.reduce(h) { $1($0, time: time) }
  }
}
