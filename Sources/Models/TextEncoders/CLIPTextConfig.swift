import Interchange
import Torch

/// The shape of a CLIP text encoder: the `config.json` that transformers writes for `CLIPTextModel`
/// and `CLIPTextModelWithProjection`.
///
/// A key that a file leaves out has transformers' default; a key unknown here is kept and written
/// back. Limitation: `attention_dropout`, 0 in all published models, is kept but drops nothing.
public struct CLIPTextConfig: Sendable, Equatable {
  /// What the network has behind its last normalisation, by transformers' classes.
  public enum Architecture: String, Codable, Sendable, CaseIterable {
    /// Nothing: Stable Diffusion 1 and 2, the first encoder of XL.
    case plain = "CLIPTextModel"
    /// A projection of the pooled output: the second encoder of XL.
    case projecting = "CLIPTextModelWithProjection"
  }

  /// The nonlinearity of the feed-forward layers, by transformers' names.
  public enum Nonlinearity: String, Codable, Sendable, CaseIterable {
    /// x · sigmoid(1.702 · x) (Hendrycks & Gimpel 2016, §2).
    case quickGELU = "quick_gelu"
    /// x · Φ(x).
    case gelu

    func callAsFunction(_ x: Tensor) -> Tensor {
      switch self {
      case .quickGELU: x * (x * 1.702).sigmoid()
      case .gelu: x.gelu()
      }
    }
  }

  /// What the network has behind its last normalisation.
  public var architecture = Architecture.plain
  /// Rows of the table of tokens.
  public var vocabSize = 49_408
  /// Channels of every token.
  public var hiddenSize = 512
  /// Channels inside of the feed-forward layers.
  public var intermediateSize = 2048
  /// Channels of the projection.
  public var projectionDim: Int? = 512
  /// How many layers there are.
  public var numHiddenLayers = 12
  /// Heads of every attention.
  public var numAttentionHeads = 8
  /// The longest sequence of tokens.
  public var maxPositionEmbeddings = 77
  /// The nonlinearity of the feed-forward layers.
  public var hiddenAct = Nonlinearity.quickGELU
  /// Added to the variance in normalisations.
  public var layerNormEps = 1e-5
  /// What all deviations of first weights are multiplied by.
  public var initializerFactor = 1.0
  /// The id of the padding; of no effect in the network.
  public var padTokenID: Int? = 1
  /// The id that begins a text; of no effect in the network.
  public var bosTokenID: Int? = 49_406
  /// The id that ends a text, whose place the pooled output is taken from; the 2 of older files
  /// stands for the largest id of the sequence.
  public var eosTokenID = 49_407
  /// The keys of the file that are unknown here.
  public var otherKeys: JSONObject = [:]

  /// transformers' defaults.
  public init() {}

  /// Why the network cannot take ids of a tokenizer, as one sentence; `nil` when it can.
  public func problem(forVocabulary size: Int, windowLength: Int) -> String? {
    if size > vocabSize {
      return
        "the tokenizer has ids up to \(size - 1), the text encoder's vocab_size is \(vocabSize); "
        + "take both from the same place"
    }
    return windowLength > maxPositionEmbeddings
      ? "the tokenizer's windows of \(windowLength) ids exceed the text encoder's "
        + "max_position_embeddings of \(maxPositionEmbeddings)"
      : nil
  }

  /// Why no hidden state is left after skipping that many layers, as one sentence; `nil` when one is.
  public func problem(forSkipping layers: Int) -> String? {
    (0...numHiddenLayers).contains(layers)
      ? nil
      : "\(layers) layers cannot be skipped of a text encoder with \(numHiddenLayers)"
  }
}

extension CLIPTextConfig {
  /// What is wrong with the numbers, as one sentence; `nil` when a network can be built.
  ///
  /// Call it on every configuration that a person or a file supplied: the network trusts its own.
  public var problem: String? {
    if let problem = ConfigCheck.first([
      ConfigCheck.range("vocab_size", vocabSize, 1...16_777_216),
      ConfigCheck.range("hidden_size", hiddenSize, 1...65_536),
      ConfigCheck.range("intermediate_size", intermediateSize, 1...262_144),
      ConfigCheck.range("num_hidden_layers", numHiddenLayers, 1...1024),
      ConfigCheck.range("num_attention_heads", numAttentionHeads, 1...65_536),
      ConfigCheck.range("max_position_embeddings", maxPositionEmbeddings, 1...1_048_576),
      ConfigCheck.notNegative("layer_norm_eps", layerNormEps),
      ConfigCheck.notNegative("initializer_factor", initializerFactor),
    ]) {
      return problem
    }
    guard hiddenSize.isMultiple(of: numAttentionHeads) else {
      return "num_attention_heads is \(numAttentionHeads), which does not divide "
        + "a hidden_size of \(hiddenSize)"
    }
    if architecture == .projecting {
      guard let projectionDim else {
        return "projection_dim is missing; \(architecture.rawValue) needs it"
      }
      if let problem = ConfigCheck.range("projection_dim", projectionDim, 1...65_536) {
        return problem
      }
    }
    return ConfigCheck.weights(
      weightCount, remedy: "choose a smaller hidden_size or fewer num_hidden_layers")
  }

  /// The number of weights of a network whose numbers are in their ranges.
  var weightCount: Int {
    let (width, inner) = (hiddenSize, intermediateSize)
    let attention = 4 * (width + 1) * width
    let feedForward = (width + 1) * inner + (inner + 1) * width
    return (vocabSize + maxPositionEmbeddings) * width
      + numHiddenLayers * (attention + feedForward + 4 * width) + 2 * width
      + (architecture == .projecting ? width * (projectionDim ?? 0) : 0)
  }
}
