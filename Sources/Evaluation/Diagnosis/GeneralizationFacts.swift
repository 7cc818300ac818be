import Foundation

/// How a network does on pictures that it was trained on and on others, and how much there was to
/// learn from.
public struct GeneralizationFacts {
  /// What the errors are, in a few words.
  public let measure: String
  /// The error of every one of some training pictures.
  public let trainingErrors: [Double]
  /// The error of every one of some held-out pictures.
  public let heldOutErrors: [Double]
  /// Pictures that were trained on.
  public let pictures: Int
  /// Numbers in a picture.
  public let valuesPerPicture: Int
  /// Numbers that were trained.
  public let parameters: Int

  /// All facts.
  public init(
    measure: String, trainingErrors: [Double], heldOutErrors: [Double], pictures: Int,
    valuesPerPicture: Int, parameters: Int
  ) {
    self.measure = measure
    self.trainingErrors = trainingErrors
    self.heldOutErrors = heldOutErrors
    self.pictures = pictures
    self.valuesPerPicture = valuesPerPicture
    self.parameters = parameters
  }
}

extension GeneralizationFacts: Diagnosable {
  /// What the checks of training against held-out pictures said.
  public var verdicts: [Finding?] {
    let isMeasured = min(trainingErrors.count, heldOutErrors.count) > 1
    return (isMeasured ? [overfitting] : []) + [tooLittleData]
  }

  /// An error on held-out pictures that lies above that on training pictures, by more than chance.
  public var overfitting: Finding? {
    let (train, held) = (Moments(trainingErrors), Moments(heldOutErrors))
    let standardError =
      (train.variance / Double(trainingErrors.count) + held.variance / Double(heldOutErrors.count))
      .squareRoot()
    let (gap, threshold) = ((held.mean - train.mean) / max(train.mean, 1e-12), 0.3)
    guard gap > threshold, held.mean - train.mean > 4 * standardError else { return nil }
    return Finding(
      "overfitting", figure: gap, threshold: threshold,
      String(
        format: "the %@ is %.3g on held-out pictures and %.3g on training pictures: %.0f %% more.",
        measure, held.mean, train.mean, 100 * gap),
      why: "the network has learned its pictures by heart, and not what they have in common.",
      remedy: "train on more pictures (flip=true makes twice as many), for less time, or with a "
        + "smaller network.")
  }

  /// Fewer pictures than a distribution can be learned from.
  public var tooLittleData: Finding? {
    let needed = max(500, Double(parameters) / Double(10 * valuesPerPicture))
    guard Double(pictures) < needed else { return nil }
    return Finding(
      "too_little_data", figure: Double(pictures), threshold: needed.rounded(.up),
      "there are \(pictures) training pictures for \(parameters) parameters.",
      why: "so few pictures are easier learned by heart than understood: 500 are the least here, "
        + "and a number of theirs for every ten parameters.",
      remedy: "train on more pictures, or with a smaller network for less time.")
  }
}

/// Mean and variance of some numbers.
struct Moments {
  let mean: Double
  /// Without bias; 0 for one number alone.
  let variance: Double

  init(_ values: [Double]) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    variance = n > 1 ? squares / (n - 1) : 0
  }
}
