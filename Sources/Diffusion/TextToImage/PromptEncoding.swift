import Models
import Tokenizers
import Torch

/// What the text encoders make of one prompt.
struct EncodedPrompt {
  /// A state a token, `[1, S, width]`.
  let states: Tensor
  /// XL's pooled state, `[1, width]`.
  let pooled: Tensor?
  /// The part of the prompt that was cut off.
  let cut: CutText?
}

extension TextToImagePipeline {
  /// The states of a prompt, without the last `skip` layers.
  func encoded(_ prompt: String, skipping skip: Int = 0) -> EncodedPrompt {
    let segments = PromptWeights.segments(of: prompt)
    var states: [Tensor] = []
    var pooled: Tensor?
    var cut: CutText?
    for encoder in encoders {
      let (model, window) = (encoder.model, encoder.tokenizer.window(of: segments))
      let count = window.ids.count
      let ids = Tensor(window.ids, shape: [1, count]).to(device)
      let mask =
        model.config.otherKeys["use_attention_mask"]?.bool == true
        ? Tensor((0..<count).map { $0 < window.tokenCount ? 1 : 0 }, shape: [1, count]).to(device)
        : nil
      let output = model(ids, mask: mask)
      let features = features(of: output, by: model, skipping: skip)
      states.append(weighted(features.inFullPrecision, by: window.weights))
      pooled = output.projected?.inFullPrecision
      cut = cut ?? window.cut
    }
    return EncodedPrompt(
      states: .concatenated(states, -1), pooled: kind == .stableDiffusionXL ? pooled : nil,
      cut: cut)
  }

  /// States multiplied by their tokens' weights, then all of them by what restores their mean.
  private func weighted(_ states: Tensor, by weights: [Double]) -> Tensor {
    guard weights.contains(where: { $0 != 1 }) else { return states }
    let factors = Tensor(weights.map(Float.init), shape: [1, weights.count, 1]).to(states.device)
    let result = states * factors
    let (before, after) = (states.mean().item(), result.mean().item())
    // Behind a normalisation without learned shift the mean is zero but for rounding.
    let size = result.square().mean().item().squareRoot()
    guard min(abs(before), abs(after)) > 1e-4 * size else { return result }
    return result * (before / after)
  }

  /// The states that guidance leads away from.
  func encodedNegative(_ prompt: String, like positive: EncodedPrompt) -> EncodedPrompt {
    guard kind == .stableDiffusionXL, forcesZerosForEmptyPrompt, prompt.isEmpty else {
      return encoded(prompt)
    }
    return EncodedPrompt(
      states: .zeros(like: positive.states), pooled: positive.pooled.map { .zeros(like: $0) },
      cut: nil)
  }
}

extension EncodedPrompt {
  /// What is said about a cut prompt; `name` tells which it is.
  func note(_ name: String) -> String? {
    cut.map { cut in
      let most = 60
      let text = cut.text.count > most ? cut.text.prefix(most) + "…" : cut.text[...]
      return "the \(name) is too long; its last \(cut.tokenCount) tokens were left out: \"\(text)\""
    }
  }
}

/// What a U-Net is told of a batch of pictures; the keys and values of its prompts are made once.
final class TextCondition: BatchCondition {
  private let unet: UNet2DCondition
  private let states: Tensor
  /// The prompts.
  private(set) lazy var prompt = unet.prepared(PromptContext(states))
  /// What XL is told besides.
  let added: AddedConditions?

  /// One prompt for `count` pictures of a size.
  init(_ prompt: EncodedPrompt, count: Int, size: Extent, for unet: UNet2DCondition) {
    self.unet = unet
    states = prompt.states.expanded([count, -1, -1])
    added = prompt.pooled.map { AddedConditions(pooled: $0.expanded([count, -1]), size: size) }
  }

  private init(unet: UNet2DCondition, states: Tensor, added: AddedConditions?) {
    (self.unet, self.states, self.added) = (unet, states, added)
  }

  /// The rows of both, one after the other.
  func joined(with other: TextCondition) -> TextCondition {
    var both = added
    if let first = added, let second = other.added {
      both = AddedConditions(
        pooled: .concatenated([first.pooled, second.pooled]),
        sizes: .concatenated([first.sizes, second.sizes]))
    }
    return TextCondition(
      unet: unet, states: .concatenated([states, other.states]), added: both)
  }
}
