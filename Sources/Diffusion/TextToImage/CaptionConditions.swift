import Models
import Torch

extension TextToImagePipeline {
  /// What the U-Net is told of captions in training: `ids` for every text encoder, `[N, T]`, and the size
  /// of the pictures in pixels. Without weights of words; a caption of nothing is one like others.
  public func conditions(
    of ids: [Tensor], size: Extent
  ) -> (prompt: PromptContext, added: AddedConditions?) {
    var states: [Tensor] = []
    var pooled: Tensor?
    for (encoder, ids) in zip(encoders, ids) {
      let output = encoder.model(ids)
      states.append(features(of: output, by: encoder.model, skipping: 0).inFullPrecision)
      pooled = output.projected?.inFullPrecision
    }
    let added =
      kind == .stableDiffusionXL ? pooled.map { AddedConditions(pooled: $0, size: size) } : nil
    return (PromptContext(.concatenated(states, -1)), added)
  }

  /// The states at which the U-Net of this kind of model looks.
  func features(
    of output: CLIPTextOutput, by model: CLIPTextModel, skipping skip: Int
  ) -> Tensor {
    switch kind {
    case .stableDiffusion: model.normalizedFeatures(output, skipping: skip)
    case .stableDiffusionXL: model.penultimateFeatures(output, skipping: skip)
    }
  }
}

extension AddedConditions {
  /// Of whole pictures of a size in pixels; `pooled` is `[N, width]`.
  init(pooled: Tensor, size: Extent) {
    let (height, width) = (Float(size.height), Float(size.width))
    // Original size, corner of the crop, target size.
    let sizes = Tensor([height, width, 0, 0, height, width], shape: [1, 6])
    self.init(pooled: pooled, sizes: sizes.to(pooled.device).expanded([pooled.size(0), -1]))
  }
}
