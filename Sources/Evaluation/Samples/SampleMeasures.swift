import Datasets
import Images
import Torch
import Training

/// The measures of new pictures that can be asked for by name.
public enum SampleMeasure: String, CaseIterable, Sendable {
  /// The Fréchet distance of features (FID).
  case fid
  /// The same without the bias of few samples.
  case fidInfinity = "fid-infinity"
  /// The Fréchet distance of every class.
  case classFID = "class-fid"
  /// The kernel distance (KID).
  case kid
  /// The Inception score, by the extractor's classes.
  case inceptionScore = "inception-score"
  /// Improved precision and recall, density and coverage.
  case precisionRecall = "precision-recall"
  /// Whether the extractor finds the classes that were asked for.
  case classAccuracy = "class-accuracy"
  /// How evenly the extractor's classes are met.
  case classBalance = "class-balance"
  /// Distances to the nearest training and held-out pictures.
  case memorization
  /// Near-identical pairs among the samples.
  case duplicates
  /// The share of fine detail, beside that of real pictures.
  case sharpness
}

/// How good a model's new pictures are, by one extractor of features: what every family is measured
/// by alike.
public struct SampleMeasures {
  /// The extractor's name, hash and resizing: figures of different ones cannot be compared.
  public let extractor: (name: String, hash: String, resizing: String)
  /// Numbers in a feature vector.
  public let width: Int
  /// How the pictures were drawn.
  public let request: String
  /// The number of new pictures.
  public let sampleCount: Int
  /// The number of held-out pictures that they are compared with.
  public let referenceCount: Int
  /// Seconds that a picture took.
  public let secondsPerPicture: Double
  /// The Fréchet distance from the held-out pictures.
  public private(set) var fid: Double?
  /// Whether there are fewer pictures than features on a side: FID says little then, KID does.
  public let isIllConditioned: Bool
  /// The Fréchet distance of training pictures, as many as samples: what no model can be better than.
  public private(set) var floor: Double?
  /// FID∞.
  public private(set) var fidInfinity: FrechetExtrapolation?
  /// FID of every class, with the classes' names.
  public private(set) var classFID: ClassFrechetDistances?
  /// KID.
  public private(set) var kid: KernelDistance?
  /// The Inception score.
  public private(set) var inceptionScore: InceptionScore?
  /// Precision, recall, density, coverage.
  public private(set) var precisionRecall: PrecisionRecall?
  /// The same of training pictures, as many as samples: what no model can be much better than.
  public private(set) var ceiling: PrecisionRecall?
  /// The number of training pictures that stand beside the samples.
  public private(set) var trainingCount = 0
  /// The extractor's classes against those that were asked for.
  public private(set) var classification: ClassificationReport?
  /// How evenly the extractor's classes are met.
  public private(set) var balance: ClassBalance?
  /// Whether samples are copies of training pictures, by pixels.
  public private(set) var memorization: Memorization?
  /// Near-identical pairs, by pixels.
  public private(set) var duplicates: NearDuplicates?
  /// The share of fine detail in the samples and in as many held-out pictures.
  public private(set) var sharpness: (samples: Double, real: Double)?
  /// What could not be measured, and why; one sentence each.
  public private(set) var notes: [String] = []

  /// Measures samples against held-out pictures.
  ///
  /// - Parameters:
  ///   - samples: What a model drew, and how.
  ///   - reference: Features of the held-out pictures.
  ///   - held: The held-out pictures.
  ///   - training: The training pictures.
  ///   - wanted: Which measures.
  ///   - seed: Names the draws of subsets.
  ///   - progress: Hears of what is measured and the share that is done.
  ///
  /// Throws when a picture cannot be read, and `EvaluationError` for samples that are no numbers.
  public init(
    of samples: Samples, drawn request: String, by extractor: any FeatureExtractor,
    against reference: ReferenceFeatures, held: any Dataset, training: any Dataset,
    wanted: Set<SampleMeasure>, seed: UInt64,
    progress: (Double, String) throws -> Void = { _, _ in }
  ) throws {
    self.extractor = (extractor.name, extractor.hash, extractor.resizing)
    self.request = request
    width = extractor.width
    sampleCount = samples.pictures.size(0)
    referenceCount = reference.count
    secondsPerPicture = samples.seconds / Double(max(sampleCount, 1))
    isIllConditioned = min(sampleCount, referenceCount) <= extractor.width
    guard sampleCount > 1 else {
      throw EvaluationError("distributions are compared by two samples at least.")
    }
    try samples.pictures.requireFinite("samples")
    var parts: [Features] = []
    for start in stride(from: 0, to: sampleCount, by: 250) {
      let end = min(start + 250, sampleCount)
      parts.append(extractor(samples.pictures[start..<end]))
      try progress(Double(end) / Double(sampleCount), "features of the samples")
    }
    let vectors = Tensor.concatenated(parts.map { $0.vectors.to(.float32) })
    let logits =
      parts[0].logits == nil ? nil : Tensor.concatenated(parts.compactMap { $0.logits })
    try vectors.requireFinite("features of the samples")

    func measure(_ which: SampleMeasure, _ name: String, _ body: () throws -> Void) throws {
      guard wanted.contains(which) else { return }
      try progress(0, name)
      do {
        try body()
      } catch let error as EvaluationError {
        notes.append(error.sentence)  // too few pictures for this one
      }
    }
    let generator = Generator(seed: seed)
    var real: Tensor?
    if wanted.contains(.fid) || wanted.contains(.precisionRecall) {
      let features = try ReferenceFeatures(of: training, by: extractor, limit: sampleCount) {
        try progress($0, "features of training pictures")
      }
      real = features.vectors
      trainingCount = features.count
    }
    try measure(.fid, "FID") {
      fid = reference.distance(to: FeatureStatistics(vectors))
      floor = real.map { reference.distance(to: FeatureStatistics($0)) }
      if isIllConditioned {
        let remedy =
          referenceCount <= width
          ? "trust KID; more than \(width) held-out pictures would mend it"
          : "trust KID, or draw more than \(width) samples"
        notes.append(
          "FID by \(width) features of \(min(sampleCount, referenceCount)) pictures rests on a "
            + "singular covariance, and so do FID without bias and by class; \(remedy).")
      }
    }
    try measure(.fidInfinity, "FID without bias") {
      fidInfinity = try FrechetExtrapolation(
        of: vectors, from: reference.distance, using: generator)
    }
    try measure(.kid, "KID") {
      kid = try KernelDistance(vectors, reference.vectors, using: generator)
    }
    try measure(.precisionRecall, "precision and recall") {
      precisionRecall = try PrecisionRecall(samples: vectors, real: reference.vectors)
      ceiling = try real.map { try PrecisionRecall(samples: $0, real: reference.vectors) }
    }
    if let logits {
      let classes = logits.size(1)
      let found = logits.argmax(1).elements(as: Int.self)
      try measure(.inceptionScore, "Inception score") {
        inceptionScore = try InceptionScore(logits: logits, using: generator)
      }
      try measure(.classBalance, "class balance") {
        balance = try ClassBalance(labels: found, classes: classes)
      }
      // Both sides have to mean the same by a class.
      if let asked = samples.labels, extractor.sharesClasses(with: held) {
        try measure(.classAccuracy, "accuracy of classes") {
          classification = try ClassificationReport(
            predicted: found, actual: asked, classes: classes)
        }
        if let labels = reference.labels {
          try measure(.classFID, "FID of classes") {
            classFID = ClassFrechetDistances(
              of: vectors, labels: asked, against: reference.vectors, labels: labels,
              classes: classes)
          }
        }
      }
    }
    let needsClasses: Set<SampleMeasure> = [
      .inceptionScore, .classBalance, .classAccuracy, .classFID,
    ]
    if logits == nil, samples.labels != nil || wanted.count < 5,
      wanted != Set(SampleMeasure.allCases), !wanted.isDisjoint(with: needsClasses)
    {
      notes.append("\(extractor.name) tells no classes, so measures by class are left out.")
    }
    try measure(.memorization, "nearest training pictures") {
      let trained = try training.pictures(training.spread(training.affordable(60_000)))
      let unseen = try held.pictures(held.spread(held.affordable(10_000)))
      memorization = try Memorization(
        of: samples.pictures[0..<min(sampleCount, 1000)], training: trained, heldOut: unseen)
    }
    try measure(.duplicates, "duplicates") {
      // A tenth of the distance between two pictures taken at random counts as no distance.
      let pixels = samples.pictures[0..<min(sampleCount, 2000)].flattened(from: 1)
      let apart = (pixels - pixels.flipped([0])).square().sum([1]).sqrt().mean().item()
      duplicates = try NearDuplicates(in: pixels, within: apart / 10)
    }
    try measure(.sharpness, "sharpness") {
      let real = try held.pictures(
        held.spread(held.affordable(min(max(sampleCount, 1000), 10_000))))
      sharpness = (Sharpness(of: samples.pictures).mean, Sharpness(of: real).mean)
    }
  }
}
