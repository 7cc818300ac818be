import Datasets
import Interchange
import Torch
import Training

/// The plain fallback: the first principal components of a training set's pixels. They say little
/// of what pictures show, but they are there for every data set.
public struct PixelFeatures: FeatureExtractor {
  /// Components, at most.
  private static let components = 64
  /// Pictures that the components are taken of, at most.
  private static let pictures = 5000

  /// The features and their data.
  public let name: String
  /// SHA-256 over the data and how many components it gave.
  public let hash: String
  /// How pictures of other sizes come to the set's.
  public let resizing: String
  /// Numbers in a vector.
  public let width: Int
  private let shape: [Int]
  private let components: PixelComponents

  /// The components of the first pictures of a training set. Throws when one cannot be read.
  public init(of set: any Dataset) throws {
    shape = set.elementShape
    width = min(Self.components, shape.reduce(1, *))
    let count = min(set.count, set.affordable(Self.pictures))
    components = PixelComponents(of: try set.pictures(0..<count), count: width)
    name = "pixels (\(set.name), \(width) principal components)"
    resizing = "bilinear to \(shape[2])x\(shape[1]), antialiased"
    var fingerprint = Fingerprint()
    fingerprint.update("\(set.fingerprint) \(count) \(width)")
    hash = fingerprint.hex
  }

  /// Features of pictures `[N, C, H, W]` in [0, 1].
  public func callAsFunction(_ pictures: Tensor) -> Features {
    let fitted = pictures.fitted(toSide: shape[1], channels: shape[0])
    return Features(vectors: components(fitted).to(.float32))
  }
}

extension Dataset {
  /// At most `count` pictures, fewer where they are large: what can be held in memory at once, as
  /// 200 MB of float32.
  func affordable(_ count: Int) -> Int {
    min(count, max(100, 50_000_000 / max(elementShape.reduce(1, *), 1)))
  }
}
