import Datasets
import Interchange
import Torch

/// What a feature extractor gives for some pictures.
public struct Features {
  /// `[N, D]`.
  public let vectors: Tensor
  /// Logits of the extractor's classes, `[N, K]`; `nil` where it has none.
  public let logits: Tensor?

  /// Vectors, with logits where the extractor is a classifier.
  public init(vectors: Tensor, logits: Tensor? = nil) {
    self.vectors = vectors
    self.logits = logits
  }
}

/// Pictures to feature vectors, always the same way.
public protocol FeatureExtractor {
  /// The extractor's name, as figures are printed with it.
  var name: String { get }
  /// SHA-256 of its weights, or of what it was made of.
  var hash: String { get }
  /// How pictures are brought to its size, in a few words.
  var resizing: String { get }
  /// Numbers in a vector.
  var width: Int { get }
  /// What the classes of the logits are called; `nil` where there are no logits, or no names.
  var classNames: [String]? { get }
  /// The features of pictures `[N, C, H, W]` in [0, 1], any N.
  func callAsFunction(_ pictures: Tensor) -> Features
}

extension FeatureExtractor {
  /// None.
  public var classNames: [String]? { nil }

  /// Whether a class means the same to this extractor and to a set.
  func sharesClasses(with set: any Dataset) -> Bool {
    classNames != nil && classNames == set.classNames
  }
}
