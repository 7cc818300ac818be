import Datasets
import Foundation
import Torch
import Training

/// New pictures of a model beside real ones: how they look, how many kinds there are, and whether
/// they are copies.
public struct SampleFacts {
  /// How many new pictures were looked at.
  public let count: Int
  /// Whether the pictures come from a decoder that was trained by the error of pixels, which blurs.
  public let isDecoded: Bool
  /// The share of fine detail in new and in real pictures.
  public let sharpness: (samples: Double, real: Double)
  /// The mean value of new and real pictures, and the deviation of real pictures' means.
  public let brightness: (samples: Double, real: Double, deviation: Double)
  /// The deviation of all values of new and of real pictures.
  public let contrast: (samples: Double, real: Double)
  /// The share of values by more than a tenth of the range outside of it, before they were held in
  /// the range; `nil` where pictures cannot be outside.
  public let outside: Double?
  /// The share of held-out pictures with a new picture near them, and that which as many training
  /// pictures reach; `nil` where there are too few.
  public let coverage: (samples: Double, real: Double)?
  /// How evenly classes are met among new and among real pictures; `nil` without classes.
  public let classes: (samples: ClassBalance, real: ClassBalance)?
  /// The number of near-identical pairs among new and among as many real pictures; `nil` where there
  /// are too few.
  public let duplicates: (samples: Int, real: Int, of: Int)?
  /// Whether new pictures are nearer to training pictures than to held-out ones; `nil` where there
  /// are too few.
  public let nearness: Nearness?

  /// The facts of `pictures` `[N, C, H, W]` in [0, 1]; `raw` are the same about −1…1 before they were
  /// held in that range.
  ///
  /// The classes of pictures are the extractor's where they are those of the data, otherwise those of
  /// the nearest training pictures.
  ///
  /// Throws when a picture cannot be read, and `EvaluationError` for pictures that are no numbers.
  public init(
    of pictures: Tensor, raw: Tensor? = nil, isDecoded: Bool, training: any Dataset,
    held: any Dataset, by extractor: any FeatureExtractor
  ) throws {
    try (raw ?? pictures).requireFinite("samples")
    let count = pictures.size(0)
    let heldIndices = held.spread(max(count, 1000))
    let real = try held.pictures(heldIndices)
    self.count = count
    self.isDecoded = isDecoded
    sharpness = (Sharpness(of: pictures).mean, Sharpness(of: real).mean)
    let means = Moments(real.flattened(from: 1).mean([1]).elements())
    brightness = (pictures.mean().item(), means.mean, means.variance.squareRoot())
    contrast = (
      pictures.variance(correction: 0).sqrt().item(), real.variance(correction: 0).sqrt().item()
    )
    outside = raw.map { ($0.abs() .> 1.2).to(.float64).mean().item() }

    let drawn = extractor(pictures)
    let heldFeatures = extractor(real)
    let trainingIndices = training.spread(2000)
    let trainingPictures = try training.pictures(trainingIndices)
    let trainingFeatures = extractor(trainingPictures).vectors.to(.float32)
    let least = min(count, trainingIndices.count)
    if min(least, heldIndices.count) > 20 {
      func covered(by vectors: Tensor) throws -> Double {
        try PrecisionRecall(samples: vectors, real: heldFeatures.vectors).coverage
      }
      let others = Tensor((0..<least).map { $0 * trainingIndices.count / least })
      coverage = (
        try covered(by: drawn.vectors[0..<least]),
        try covered(by: trainingFeatures.selected(0, at: others))
      )
    } else {
      coverage = nil
    }
    classes = try Self.balances(
      of: drawn, real: heldFeatures, held: heldIndices.map { held.label(at: $0) },
      trainingFeatures, trainingIndices.map { training.label(at: $0) },
      classes: held.classNames?.count ?? 0, isNamed: extractor.sharesClasses(with: held))
    let pairs = min(count, real.size(0), 1000)
    if pairs > 20 {
      let realPixels = real[0..<pairs].flattened(from: 1)
      let apart = (realPixels - realPixels.flipped([0])).square().sum([1]).sqrt().mean().item()
      duplicates = (
        try NearDuplicates(in: pictures[0..<pairs], within: apart / 10).count,
        try NearDuplicates(in: real[0..<pairs], within: apart / 10).count, pairs
      )
    } else {
      duplicates = nil
    }
    nearness = try Nearness(of: pictures, training: training, held: held)
  }

  /// How evenly classes are met: the extractor's, or those of the nearest training pictures.
  private static func balances(
    of drawn: Features, real: Features, held: [Int?], _ training: Tensor, _ labels: [Int?],
    classes: Int, isNamed: Bool
  ) throws -> (samples: ClassBalance, real: ClassBalance)? {
    let known = labels.compactMap(\.self)
    guard classes > 1, known.count == labels.count else { return nil }
    func classify(_ features: Features) throws -> ClassBalance {
      if isNamed, let logits = features.logits {
        return try ClassBalance(labels: logits.argmax(1).elements(), classes: classes)
      }
      let nearest = NearestNeighbours(of: features.vectors, in: training, count: 1).places[0]
      return try ClassBalance(labels: nearest.map { known[$0] }, classes: classes)
    }
    return (try classify(drawn), try classify(real))
  }
}

/// Whether new pictures are nearer to training pictures than to as many held-out ones.
///
/// With equal parts, a picture that owes nothing to single training pictures finds its nearest one in
/// either part with even odds. Some pictures are the nearest to many others, so the deviation of the
/// share is not that of independent coins: it is taken over all ways to part the same pictures in
/// two halves, in closed form.
public struct Nearness: Sendable, Equatable {
  /// The share of new pictures whose nearest picture is one of the training.
  public let share: Double
  /// How many deviations that share lies above a half.
  public let z: Double
  /// The share of new pictures that are less than a third as far from the nearest training picture
  /// as from the second nearest (Yoon et al. 2023).
  public let memorized: Double
  /// The same share for held-out pictures.
  public let memorizedHeldOut: Double
  /// The pictures of each part.
  public let pictures: Int

  /// All facts.
  public init(
    share: Double, z: Double, memorized: Double, memorizedHeldOut: Double, pictures: Int
  ) {
    self.share = share
    self.z = z
    self.memorized = memorized
    self.memorizedHeldOut = memorizedHeldOut
    self.pictures = pictures
  }

  /// Compares new pictures with at most 10,000 of each part, by pixels; `nil` for parts of fewer
  /// than 20. Throws when a picture cannot be read.
  init?(of pictures: Tensor, training: any Dataset, held: any Dataset) throws {
    let count = min(training.count, held.count, training.affordable(10_000))
    guard count >= 20 else { return nil }
    let x = pictures.flattened(from: 1)
    let trained = try training.pictures(training.spread(training.affordable(10_000))).flattened(
      from: 1)
    let equal = try training.pictures(training.spread(count)).flattened(from: 1)
    let other = try held.pictures(held.spread(count)).flattened(from: 1)
    let pool = Tensor.concatenated([equal, other])
    let nearest = NearestNeighbours(of: x, in: pool, count: 1).places[0]
    var visits = [Double](repeating: 0, count: 2 * count)
    for place in nearest { visits[place] += 1 }
    let n = Double(nearest.count)
    let wins = visits[..<count].reduce(0, +)
    // The sum over a half drawn without putting back: its variance is m (1 − m / 2m) S² = m S² / 2.
    let deviation = (Double(count) / 2 * Moments(visits).variance).squareRoot()

    func memorized(_ rows: Tensor) -> Double {
      let two = NearestNeighbours(of: rows, in: trained, count: 2).distances
      return Double(zip(two[0], two[1]).count { $0 < $1 / 3 }) / Double(rows.size(0))
    }
    self.init(
      share: wins / n, z: deviation > 0 ? (wins - n / 2) / deviation : 0,
      memorized: memorized(x), memorizedHeldOut: memorized(other[0..<min(count, x.size(0))]),
      pictures: count)
  }
}
