import NeuralNets
import Torch

/// What the cross-attentions of a conditional U-Net look at: the states of a text encoder, one a
/// token.
///
/// Keys and values of a prompt are the same at every denoising step: let `UNet2DCondition.prepared`
/// compute them once a picture.
public struct PromptContext {
  /// `[N, S, width]`, as wide as the network's `cross_attention_dim`.
  public let states: Tensor
  /// What is added to the scores of every token, `[N, 1, 1, S]`.
  let bias: Tensor?
  private var projected: [ObjectIdentifier: Attention.KeysAndValues] = [:]
  /// Keeps the attentions alive whose identities are above.
  private var network: Module?

  /// A context of states `[N, S, width]`; a `mask` `[N, S]` holds 1 for tokens that count and 0 for
  /// others.
  public init(_ states: Tensor, mask: Tensor? = nil) {
    // −10000 rather than −∞, as in diffusers: a prompt without a token gives numbers all the same.
    self.init(
      states,
      bias: mask.map { (1 - $0.to(states.dtype)).unsqueezed(1).unsqueezed(1) * -10_000.0 })
  }

  init(_ states: Tensor, bias: Tensor?) {
    self.states = states
    self.bias = bias
  }

  /// The same context in a type.
  func to(_ dtype: DType) -> PromptContext {
    states.dtype == dtype ? self : PromptContext(states.to(dtype), bias: bias?.to(dtype))
  }

  /// The same context with the keys and values of `attentions` of a network.
  func projected(by attentions: [Attention], of network: Module) -> PromptContext {
    var result = self
    result.network = network
    result.projected = Dictionary(
      uniqueKeysWithValues: attentions.map { (ObjectIdentifier($0), $0.keysAndValues(of: states)) })
    return result
  }

  /// What one attention sees, as computed before or computed now.
  func keysAndValues(for attention: Attention) -> Attention.KeysAndValues {
    projected[ObjectIdentifier(attention)] ?? attention.keysAndValues(of: states)
  }
}
