import Foundation

/// How well a classifier finds the classes of training and of held-out pictures.
public struct ClassifierFacts {
  /// The share of training pictures whose class it finds.
  public let trainingAccuracy: Double
  /// Training pictures that were looked at.
  public let trainingCount: Int
  /// The share of held-out pictures whose class it finds.
  public let heldOutAccuracy: Double
  /// Held-out pictures that were looked at.
  public let heldOutCount: Int
  /// The share of the most frequent class among the held-out pictures.
  public let largestShare: Double

  /// All facts.
  public init(
    trainingAccuracy: Double, trainingCount: Int, heldOutAccuracy: Double, heldOutCount: Int,
    largestShare: Double
  ) {
    self.trainingAccuracy = trainingAccuracy
    self.trainingCount = trainingCount
    self.heldOutAccuracy = heldOutAccuracy
    self.heldOutCount = heldOutCount
    self.largestShare = largestShare
  }
}

extension ClassifierFacts: Diagnosable {
  /// What the checks of the classifier said.
  public var verdicts: [Finding?] { [accuracyGap, noBetterThanGuessing] }

  /// More classes found among training pictures than among others, by more than chance.
  public var accuracyGap: Finding? {
    func variance(_ share: Double, _ count: Int) -> Double {
      share * (1 - share) / Double(count)
    }
    let (gap, threshold) = (trainingAccuracy - heldOutAccuracy, 0.1)
    let standardError =
      (variance(trainingAccuracy, trainingCount) + variance(heldOutAccuracy, heldOutCount))
      .squareRoot()
    guard gap > threshold, gap > 4 * standardError else { return nil }
    return Finding(
      "overfitting", figure: gap, threshold: threshold,
      String(
        format: "the classifier finds the class of %.1f %% of training pictures, and of %.1f %% "
          + "of held-out ones.", 100 * trainingAccuracy, 100 * heldOutAccuracy),
      why: "it knows its pictures by heart, so its features say less about new ones.",
      remedy: "train on more pictures, raise weight_decay, shift or label_smoothing, or train less."
    )
  }

  /// A classifier that might as well always name the most frequent class.
  public var noBetterThanGuessing: Finding? {
    let threshold = largestShare + 0.1 * (1 - largestShare)
    guard heldOutAccuracy < threshold else { return nil }
    return Finding(
      "no_better_than_guessing", figure: heldOutAccuracy, threshold: threshold,
      String(
        format: "the classifier finds the class of %.1f %% of held-out pictures; always naming the "
          + "most frequent one finds %.1f %%.", 100 * heldOutAccuracy, 100 * largestShare),
      why: "its features tell nothing apart, and figures by them mean nothing.",
      remedy: "train longer, change learning_rate, or see that the labels are right.")
  }
}
