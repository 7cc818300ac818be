import NeuralNets
import Torch

/// A level on the way up: residual blocks that may also see what the way down put aside, attention
/// after each where the level has it, and something that enlarges the picture unless the level is
/// the last.
final class UpBlock: Module {
  let attentions: [any SpatialAttention]
  let resnets: [ResnetBlock]
  let upsamplers: [any TimedLayer]

  /// `inputs` are the channels that each residual block is given, skips included; `attention` makes
  /// what stands behind one.
  init(
    _ inputs: [Int], _ width: Int, _ style: ResnetBlock.Style, upsampling: UNetConfig.Resampling?,
    attention: ((_ layer: Int) -> any SpatialAttention)? = nil, using generator: Generator?
  ) {
    var attentions: [any SpatialAttention] = []
    var resnets: [ResnetBlock] = []
    for (layer, inputs) in inputs.enumerated() {
      resnets.append(ResnetBlock(inputs, width, style, using: generator))
      if let attention { attentions.append(attention(layer)) }
    }
    self.attentions = attentions
    self.resnets = resnets
    upsamplers =
      switch upsampling {
      case nil: []
      case .conv: [Upsample2D(width, width, using: generator)]
      case .resnet: [ResnetBlock(width, width, style, .double, using: generator)]
      }
  }

  /// `[N, C, H, W]` and one skip a residual block, the last for the first, or none at all: twice the
  /// size, or `size`.
  func callAsFunction(
    _ x: Tensor, skips: [Tensor] = [], time: Tensor? = nil, prompt: PromptContext? = nil,
    size: Extent? = nil
  ) -> Tensor {
    precondition(skips.isEmpty || skips.count == resnets.count, "one skip a residual block")
    var h = x
    for (layer, resnet) in resnets.enumerated() {
      let given = skips.isEmpty ? h : .concatenated([h, skips[skips.count - 1 - layer]], 1)
      h = resnet(given, time: time)
      if !attentions.isEmpty { h = attentions[layer](h, prompt: prompt) }
    }
    return upsamplers.reduce(h) { $1($0, time: time, size: size) }
  }
}
