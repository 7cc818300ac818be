import Models
import NeuralNets
import Torch

/// What a latent diffusion model trains: the U-Net and, unless one is given, the text encoder.
public final class LatentDiffusionNetwork: Module {
  /// The U-Net over latents.
  public let unet: UNet2DCondition
  let textEncoder: CLIPTextModel?
  /// A text encoder that stays as it is; no part of the network.
  private let given: Given?

  /// Holds a network that is no part of the one around it.
  private struct Given {
    let encoder: CLIPTextModel
  }

  init(unet: UNet2DCondition, trained: CLIPTextModel?, given: CLIPTextModel?) {
    precondition((trained == nil) != (given == nil), "there is one text encoder")
    self.unet = unet
    textEncoder = trained
    given?.setTraining(false)
    self.given = given.map(Given.init)
  }

  /// The text encoder, trained along or given.
  public var encoder: CLIPTextModel {
    guard let encoder = textEncoder ?? given?.encoder else {
      preconditionFailure("there is one text encoder")
    }
    return encoder
  }

  /// The states `[N, T, width]` of captions' ids `[N, T]`, at which the U-Net looks.
  public func states(of ids: Tensor) -> Tensor {
    if let given {
      return withoutGradients { given.encoder.normalizedFeatures(given.encoder(ids)) }
    }
    return encoder.normalizedFeatures(encoder(ids))
  }
}
