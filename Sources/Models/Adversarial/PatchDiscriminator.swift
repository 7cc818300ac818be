import NeuralNets
import Torch

/// A discriminator that scores overlapping patches of a picture (Isola et al. 2017): strided
/// convolutions, then one score a place of the smallest level. `[N, C, H, W]` to `[N, P]`.
final class PatchDiscriminator: Module, DiscriminatorLayers {
  let levels: StridedLevels
  let head: Conv2d

  init(_ config: GANConfig, using generator: Generator?) {
    levels = StridedLevels(config, lastKernel: 4, using: generator)
    head = Conv2d(config.blockOutChannels.last!, 1, kernel: 4, padding: 1, using: generator)
    super.init()
    startAsDCGAN(using: generator)
  }

  func features(_ x: Tensor) -> Tensor { levels(x) }

  func scores(_ features: Tensor, labels: Tensor?) -> Tensor { head(features).flattened(from: 1) }
}
