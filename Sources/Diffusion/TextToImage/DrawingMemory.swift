import Models
import Torch

/// The memory that drawing takes besides the weights: the larger of what the U-Net and what the
/// decoder hold at once, by the sizes of their layers' outputs.
struct DrawingMemory {
  /// Bytes of one forward of the U-Net.
  let unet: Int
  /// Bytes of decoding, or encoding, one picture.
  let autoencoder: Int

  /// Bytes at the worst moment.
  var bytes: Int { max(unet, autoencoder) }

  /// The need of `rows` latents of a size at once.
  init(_ unet: UNetConditionConfig, _ autoencoder: AutoencoderKLConfig, latents: Extent, rows: Int)
  {
    // In floating point: a side that someone asks for may be anything.
    let pixels = Double(latents.height) * Double(latents.width)
    var (skips, widest) = (0.0, 0.0)
    for (level, width) in unet.blockOutChannels.enumerated() {
      let perPixel = Double(width) / Double(1 << (2 * level))
      skips += Double(unet.layersPerBlock[level] + 1) * perPixel
      widest = max(widest, perPixel)
    }
    // A transformer's feed-forward layer holds 8 + 4 times its width beside input, residual and norm.
    self.unet = Self.bytes(Double(rows) * pixels * (skips + 16 * widest))
    let widths = autoencoder.blockOutChannels
    // The last residual blocks: what comes from the level below, normalised and convolved.
    let channels = 3 * widths[min(1, widths.count - 1)] + 2 * widths[0]
    let scale = Double(autoencoder.scale)
    self.autoencoder = Self.bytes(pixels * scale * scale * Double(channels))
  }

  private static func bytes(_ numbers: Double) -> Int {
    Int(min(numbers * Double(MemoryLayout<Float>.stride), 1e18))
  }
}
