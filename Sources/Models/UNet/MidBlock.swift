import NeuralNets
import Torch

/// The bottom of a U-Net: a residual block, then attention, where there is any, and another.
/// `[N, C, H, W]` unchanged in shape.
final class MidBlock: Module {
  let attentions: [any SpatialAttention]
  let resnets: [ResnetBlock]

  /// `layers` counts what follows the first residual block; `attention` makes what stands before
  /// another one.
  init(
    _ width: Int, layers: Int = 1, _ style: ResnetBlock.Style,
    attention: ((_ layer: Int) -> any SpatialAttention)?, using generator: Generator?
  ) {
    var attentions: [any SpatialAttention] = []
    var resnets = [ResnetBlock(width, width, style, using: generator)]
    for layer in 0..<layers {
      if let attention { attentions.append(attention(layer)) }
      resnets.append(ResnetBlock(width, width, style, using: generator))
    }
    self.attentions = attentions
    self.resnets = resnets
  }

  func callAsFunction(_ x: Tensor, time: Tensor? = nil, prompt: PromptContext? = nil) -> Tensor {
    var h = resnets[0](x, time: time)
    for (layer, resnet) in resnets.dropFirst().enumerated() {
      if !attentions.isEmpty { h = attentions[layer](h, prompt: prompt) }
      h = resnet(h, time: time)
    }
    return h
  }
}
