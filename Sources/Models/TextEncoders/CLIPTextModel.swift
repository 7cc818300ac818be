import NeuralNets
import Torch

/// What a text encoder makes of a batch of sequences.
public struct CLIPTextOutput {
  /// The embedded tokens, then every layer's output, `[N, T, width]` each: one more than layers.
  public let hiddenStates: [Tensor]
  /// The last layer's output, normalised, `[N, T, width]`.
  public let lastHiddenState: Tensor
  /// The last hidden state where the text ends, `[N, width]`.
  public let pooled: Tensor
  /// The projection of the pooled output, `[N, projection]`; `nil` for a network without one.
  public let projected: Tensor?
}

/// The text encoder of CLIP (Radford et al. 2021, §2.4): a transformer in which tokens see what comes
/// before them; equal to `CLIPTextModel` and `CLIPTextModelWithProjection` of transformers.
///
/// Checkpoint keys are those with `text_model.` in front, which all versions of transformers read.
public final class CLIPTextModel: Module {
  /// The shape that the network was built for.
  public let config: CLIPTextConfig
  private let textModel: CLIPTextTransformer
  private let textProjection: Linear?

  /// A network whose configuration has no `problem`.
  ///
  /// First weights are normal with transformers' deviations, biases zero (f: `initializer_factor`,
  /// w: width, L: layers): embeddings 0.02 f; queries, keys, values and the second feed-forward layer
  /// f / √(2 L w); attention's output and the projection f / √w; the first feed-forward layer
  /// f / √(2 w). Without a generator they stay unset, to be loaded.
  public init(_ config: CLIPTextConfig, using generator: Generator?) {
    precondition(config.problem == nil, config.problem ?? "")
    self.config = config
    textModel = CLIPTextTransformer(config)
    textProjection =
      config.architecture == .projecting
      ? config.projectionDim.map { Linear(config.hiddenSize, $0, bias: false, using: nil) } : nil
    super.init()
    guard let generator else { return }
    textModel.initialize(config, using: generator)
    if let weight = textProjection?.weight.value {
      let deviation = config.initializerFactor / Double(config.hiddenSize).squareRoot()
      Initializer.normal(deviation: deviation).fill(weight, using: generator)
    }
  }

  /// Everything that the network makes of `ids`, `int64 [N, T]` below `vocab_size`, with T at most
  /// `max_position_embeddings`; `mask` `[N, T]` is zero where tokens must not be seen.
  ///
  /// The pooled output is that of the first end token, or of the first token where there is none.
  public func callAsFunction(_ ids: Tensor, mask: Tensor? = nil) -> CLIPTextOutput {
    let states = textModel.hiddenStates(ids, mask: mask)
    let last = textModel.finalLayerNorm(states[states.count - 1])
    let pooled = last.gathered(
      1, endPlaces(ids).reshaped([-1, 1, 1]).expanded([last.size(0), 1, last.size(2)])
    ).squeezed(1)
    return CLIPTextOutput(
      hiddenStates: states, lastHiddenState: last, pooled: pooled,
      projected: textProjection.map { $0(pooled) })
  }

  /// The features that Stable Diffusion 1 and 2 attend to, `[N, T, width]`: the output of the last
  /// layer but `skip` through the final normalisation (diffusers' `clip_skip`).
  public func normalizedFeatures(_ output: CLIPTextOutput, skipping skip: Int = 0) -> Tensor {
    skip == 0
      ? output.lastHiddenState : textModel.finalLayerNorm(state(output, fromLast: skip))
  }

  /// The features that Stable Diffusion XL attends to, `[N, T, width]`: the output of the layer before
  /// the last but `skip`, not normalised.
  public func penultimateFeatures(_ output: CLIPTextOutput, skipping skip: Int = 0) -> Tensor {
    state(output, fromLast: skip + 1)
  }

  private func state(_ output: CLIPTextOutput, fromLast count: Int) -> Tensor {
    precondition(
      config.problem(forSkipping: count) == nil, config.problem(forSkipping: count) ?? "")
    return output.hiddenStates[output.hiddenStates.count - 1 - count]
  }

  /// Where each text ends, `int64 [N]`.
  private func endPlaces(_ ids: Tensor) -> Tensor {
    // Configurations from before 2023 name 2, which is no end token, and mean the largest id.
    config.eosTokenID == 2
      ? ids.argmax(-1) : (ids .== config.eosTokenID).to(.int64).argmax(-1)
  }
}

/// Embeddings, layers, final normalisation.
private final class CLIPTextTransformer: Module {
  private let embeddings: CLIPTextEmbeddings
  private let encoder: CLIPTextEncoder
  let finalLayerNorm: LayerNorm

  init(_ config: CLIPTextConfig) {
    embeddings = CLIPTextEmbeddings(config)
    encoder = CLIPTextEncoder(config)
    finalLayerNorm = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
  }

  func hiddenStates(_ ids: Tensor, mask: Tensor?) -> [Tensor] {
    var seen: Tensor?
    if let mask {  // [N, T] to [N, 1, T, T]: who sees whom
      let length = ids.size(1)
      let causal = Tensor.ones([length, length], device: ids.device).lowerTriangle() .> 0
      seen = causal.logicalAnd((mask .!= 0).reshaped([-1, 1, 1, length]))
    }
    var states = [embeddings(ids)]
    for layer in encoder.layers { states.append(layer(states[states.count - 1], mask: seen)) }
    return states
  }

  func initialize(_ config: CLIPTextConfig, using generator: Generator) {
    embeddings.initialize(config, using: generator)
    for layer in encoder.layers { layer.initialize(config, using: generator) }
  }
}

/// The layers, which checkpoints name under `encoder`.
private final class CLIPTextEncoder: Module {
  let layers: [CLIPTextLayer]

  init(_ config: CLIPTextConfig) {
    layers = (0..<config.numHiddenLayers).map { _ in CLIPTextLayer(config) }
  }
}

/// Vectors of tokens plus vectors of places.
private final class CLIPTextEmbeddings: Module {
  private let tokenEmbedding: Embedding
  private let positionEmbedding: Embedding

  init(_ config: CLIPTextConfig) {
    tokenEmbedding = Embedding(config.vocabSize, config.hiddenSize, using: nil)
    positionEmbedding = Embedding(config.maxPositionEmbeddings, config.hiddenSize, using: nil)
  }

  /// `[N, T]` to `[N, T, width]`.
  func callAsFunction(_ ids: Tensor) -> Tensor {
    tokenEmbedding(ids) + positionEmbedding.weight.value[0..<ids.size(1)]
  }

  func initialize(_ config: CLIPTextConfig, using generator: Generator) {
    let start = Initializer.normal(deviation: 0.02 * config.initializerFactor)
    start.fill(tokenEmbedding.weight.value, using: generator)
    start.fill(positionEmbedding.weight.value, using: generator)
  }
}
