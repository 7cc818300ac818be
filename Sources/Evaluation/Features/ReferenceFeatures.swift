import Datasets
import Foundation
import Interchange
import Models
import Torch
import Training

/// The features of real pictures, computed once and kept in the cache folder under the fingerprints
/// of the data and of the extractor.
public struct ReferenceFeatures {
  /// `[N, D]`.
  public let vectors: Tensor
  /// Their mean and covariance, with the covariance's root.
  public let distance: FrechetDistance
  /// The classes of the pictures; `nil` for sets without.
  public let labels: [Int]?
  /// The number of pictures.
  public var count: Int { vectors.size(0) }

  /// The features of a set's pictures, of `limit` spread evenly over it where it has more: folders
  /// are sorted by class. `progress` hears the share that is done.
  ///
  /// Throws when a picture cannot be read, and `EvaluationError` for a set of fewer than two.
  public init(
    of set: any Dataset, by extractor: any FeatureExtractor, limit: Int = .max,
    cache: FeatureCache? = FeatureCache(), progress: (Double) throws -> Void = { _ in }
  ) throws {
    let count = min(set.count, limit)
    guard count > 1 else {
      throw EvaluationError(
        path: set.name,
        "distributions are compared by two pictures at least, and there is \(count).")
    }
    let indices = set.spread(count)
    let key = FeatureCache.key(set, extractor, count)
    if let known = cache?.vectors(key, shape: [count, extractor.width]) {
      vectors = known
    } else {
      var parts: [Tensor] = []
      for start in stride(from: 0, to: count, by: 250) {
        let range = start..<min(start + 250, count)
        parts.append(extractor(try set.pictures(indices[range])).vectors.to(.float32))
        try progress(Double(range.upperBound) / Double(count))
      }
      vectors = .concatenated(parts)
      cache?.keep(vectors, key)
    }
    try vectors.requireFinite("features of \(set.name)")
    distance = FrechetDistance(from: FeatureStatistics(vectors))
    let labels = indices.compactMap { set.label(at: $0) }
    self.labels = labels.count == count ? labels : nil
  }
}

/// Features on disk, in the folder that also holds libtorch.
public struct FeatureCache: Sendable {
  private let folder: String

  /// The cache in a folder; by default LATENT_CACHE, or XDG_CACHE_HOME/latent, or ~/.cache/latent.
  public init(folder: String? = nil) {
    let environment = ProcessInfo.processInfo.environment
    let base =
      environment["LATENT_CACHE"]
      ?? "\(environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? ".")/.cache")/latent"
    self.folder = folder ?? "\(base)/features"
  }

  /// What tells features apart: the data, the size it was brought to, its part, and the extractor.
  static func key(_ set: any Dataset, _ extractor: any FeatureExtractor, _ count: Int) -> String {
    var fingerprint = Fingerprint()
    fingerprint.update(set.fingerprint)
    fingerprint.update("\(set.elementShape) \(count) spread")
    fingerprint.update("\(extractor.name) \(extractor.hash) \(extractor.resizing)")
    return String(fingerprint.hex.prefix(32))
  }

  /// Features kept under a key; `nil` when there are none, or none of this shape.
  func vectors(_ key: String, shape: [Int]) -> Tensor? {
    // A damaged file is as good as none: it is written anew.
    guard let found = try? Weights.read(path(key))["vectors"], found.shape == shape,
      found.dtype == .float32
    else { return nil }
    return found
  }

  /// Keeps features; a disk that refuses costs time the next time, nothing else.
  func keep(_ vectors: Tensor, _ key: String) {
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try? Weights.write([("vectors", vectors)], to: path(key))
  }

  private func path(_ key: String) -> String { "\(folder)/\(key).safetensors" }
}
