import NeuralNets
import Torch

/// A level on the way down: residual blocks, attention after each where the level has it, and
/// something that halves the picture unless the level is the last.
final class DownBlock: Module {
  let attentions: [any SpatialAttention]
  let resnets: [ResnetBlock]
  let downsamplers: [any TimedLayer]

  /// From `inputs` to `width` channels; `attention` makes what stands behind a residual block.
  init(
    _ inputs: Int, _ width: Int, layers: Int, _ style: ResnetBlock.Style,
    downsampling: UNetConfig.Resampling?, padding: Int,
    attention: ((_ layer: Int) -> any SpatialAttention)? = nil, using generator: Generator?
  ) {
    var attentions: [any SpatialAttention] = []
    var resnets: [ResnetBlock] = []
    for layer in 0..<layers {
      resnets.append(ResnetBlock(layer == 0 ? inputs : width, width, style, using: generator))
      if let attention { attentions.append(attention(layer)) }
    }
    self.attentions = attentions
    self.resnets = resnets
    downsamplers =
      switch downsampling {
      case nil: []
      case .conv: [Downsample2D(width, width, padding: padding, using: generator)]
      case .resnet: [ResnetBlock(width, width, style, .half, using: generator)]
      }
  }

  /// How many tensors the level gives.
  var outputCount: Int { resnets.count + downsamplers.count }

  /// Every layer's output, the level's own last: `[N, C, H, W]`, then half the size.
  func callAsFunction(_ x: Tensor, time: Tensor, prompt: PromptContext? = nil) -> [Tensor] {
    var outputs: [Tensor] = []
    _ = pass(x, time: time, prompt: prompt) { outputs.append($0) }
    return outputs
  }

  /// The level's own output: `[N, C, H, W]`, or half the size.
  func callAsFunction(_ x: Tensor) -> Tensor { pass(x, time: nil, prompt: nil) { _ in } }

  private func pass(
    _ x: Tensor, time: Tensor?, prompt: PromptContext?, _ keep: (Tensor) -> Void
  ) -> Tensor {
    var h = x
    for (layer, resnet) in resnets.enumerated() {
      h = resnet(h, time: time)
      if !attentions.isEmpty { h = attentions[layer](h, prompt: prompt) }
      keep(h)
    }
    for downsampler in downsamplers {
      h = downsampler(h, time: time, size: nil)
      keep(h)
    }
    return h
  }
}
