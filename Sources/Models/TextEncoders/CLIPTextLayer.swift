import NeuralNets
import Torch

/// A layer of a CLIP text encoder: attention to what came before, then a feed-forward network, both
/// behind a normalisation and added to their input (Radford et al. 2019, §2.3).
final class CLIPTextLayer: Module {
  private let selfAttn: CLIPTextAttention
  private let layerNorm1: LayerNorm
  private let mlp: CLIPTextFeedForward
  private let layerNorm2: LayerNorm

  init(_ config: CLIPTextConfig) {
    selfAttn = CLIPTextAttention(config)
    layerNorm1 = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
    mlp = CLIPTextFeedForward(config)
    layerNorm2 = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
  }

  /// `[N, T, width]` unchanged in shape.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    let x = x + selfAttn(layerNorm1(x), mask: mask)
    return x + mlp(layerNorm2(x))
  }

  /// First weights; see `CLIPTextModel.init`.
  func initialize(_ config: CLIPTextConfig, using generator: Generator) {
    let width = Double(config.hiddenSize)
    let factor = config.initializerFactor / width.squareRoot()
    let inner = factor / Double(2 * config.numHiddenLayers).squareRoot()
    selfAttn.initialize(inner: inner, outer: factor, using: generator)
    mlp.initialize(inner: factor / 2.0.squareRoot(), outer: inner, using: generator)
  }
}

/// Multi-head attention in which a token sees itself and those before it. It differs from
/// `Attention` in the names and the order of its layers, which all have biases here.
private final class CLIPTextAttention: Module {
  private let kProj: Linear
  private let vProj: Linear
  private let qProj: Linear
  private let outProj: Linear
  private let heads: Int

  init(_ config: CLIPTextConfig) {
    let width = config.hiddenSize
    kProj = Linear(width, width, using: nil)
    vProj = Linear(width, width, using: nil)
    qProj = Linear(width, width, using: nil)
    outProj = Linear(width, width, using: nil)
    heads = config.numAttentionHeads
  }

  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    func split(_ y: Tensor) -> Tensor {  // [N, T, heads · d] to [N, heads, T, d]
      y.reshaped([y.size(0), y.size(1), heads, -1]).transposed(1, 2)
    }
    let attended = Tensor.attention(
      query: split(qProj(x)), key: split(kProj(x)), value: split(vProj(x)), mask: mask,
      causal: mask == nil)
    return outProj(attended.transposed(1, 2).reshaped(x.shape))
  }

  func initialize(inner: Double, outer: Double, using generator: Generator) {
    for layer in [qProj, kProj, vProj] { layer.fill(deviation: inner, using: generator) }
    outProj.fill(deviation: outer, using: generator)
  }
}

/// Two linear layers with a nonlinearity between them.
private final class CLIPTextFeedForward: Module {
  private let fc1: Linear
  private let fc2: Linear
  private let nonlinearity: CLIPTextConfig.Nonlinearity

  init(_ config: CLIPTextConfig) {
    fc1 = Linear(config.hiddenSize, config.intermediateSize, using: nil)
    fc2 = Linear(config.intermediateSize, config.hiddenSize, using: nil)
    nonlinearity = config.hiddenAct
  }

  func callAsFunction(_ x: Tensor) -> Tensor { fc2(nonlinearity(fc1(x))) }

  func initialize(inner: Double, outer: Double, using generator: Generator) {
    fc1.fill(deviation: inner, using: generator)
    fc2.fill(deviation: outer, using: generator)
  }
}

extension Linear {
  /// Weights drawn around zero, biases zero.
  fileprivate func fill(deviation: Double, using generator: Generator) {
    Initializer.normal(deviation: deviation).fill(weight.value, using: generator)
    if let bias { Initializer.zeros.fill(bias.value, using: generator) }
  }
}
