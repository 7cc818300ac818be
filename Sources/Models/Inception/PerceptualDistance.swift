import NeuralNets
import Torch

/// How unlike pictures look, by the maps that Inception-v3 makes of them (Zhang et al. 2018, eq. 1,
/// with all channels counting alike, in another network).
///
///     d(x, y) = Σ_l mean over places of Σ_c (x̂_lc − ŷ_lc)²
///
/// where x̂_l are the last maps before a halving of the resolution, divided at every place by their
/// length over the channels. Pictures go through in their own size.
public final class PerceptualDistance {
  private let network: InceptionV3

  /// The least height and width of a picture: below it no map of the last level is left.
  public static let smallestSide = 43

  /// The distance by weights with pytorch-fid's keys.
  ///
  /// Throws `FileError` when the file cannot be read, `SafetensorsError` when it is no valid
  /// safetensors file or holds the weights of another network.
  public init(weights path: String, device: Device = .cpu) throws {
    network = try InceptionV3(weights: path)
    network.move(to: device)
    for parameter in network.parameters { parameter.value.requiresGradient = false }
  }

  /// d of pictures `[N, C, H, W]` in −1…1 with C of 1 or 3; `[N]`. Gradients go to `x` alone.
  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    let goals = withoutGradients { maps(target) }
    let parts = zip(maps(x), goals).map { ($0 - $1).square().sum([1]).mean([1, 2]) }
    return parts.dropFirst().reduce(parts[0], +)
  }

  /// The maps of every level, `[N, C, H, W]` of length 1 over the channels.
  private func maps(_ pictures: Tensor) -> [Tensor] {
    precondition(
      min(pictures.size(2), pictures.size(3)) >= Self.smallestSide, "pictures too small")
    let shape = [pictures.size(0), 3, pictures.size(2), pictures.size(3)]
    var x = pictures.expanded(shape).contiguous(.channelsLast)
    var maps: [Tensor] = []
    for level in network.levels {
      x = level.reduce(x) { $1($0) }
      let map = x.inFullPrecision
      maps.append(map / (map.square().sum([1], keepingDims: true) + 1e-10).sqrt())
    }
    return maps
  }
}
