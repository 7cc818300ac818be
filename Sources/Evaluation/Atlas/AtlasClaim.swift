import Images
import Interchange
import Torch
import Training

/// A claim about how the families behave, and how it is measured.
public struct AtlasClaim: Sendable {
  /// What files and `--claim` call it.
  public let id: String
  /// The claim as one sentence.
  public let sentence: String
  let measure: @Sendable (any AtlasWorkshop) throws -> AtlasMeasurement

  init(
    _ id: String, _ sentence: String,
    measure: @escaping @Sendable (any AtlasWorkshop) throws -> AtlasMeasurement
  ) {
    self.id = id
    self.sentence = sentence
    self.measure = measure
  }

  /// All claims, in the order in which the families build on each other.
  public static let all = arithmeticClaims + latentClaims + gameClaims + denoisingClaims
}

/// What came of measuring a claim.
struct AtlasMeasurement {
  /// Whether the claim holds by what was measured.
  let holds: Bool
  /// The figures in a line.
  let measured: String
  /// What was done and what is seen, a paragraph.
  let paragraph: String
  /// The figures by name.
  let figures: [(name: String, value: Double)]
  /// What to look at.
  let picture: Image
}

/// Where claims get what they measure: data, and runs that are trained when they are first asked for
/// and kept.
public protocol AtlasWorkshop: AnyObject {
  /// Pictures to train on.
  var data: String { get }
  /// The seed of all that is drawn.
  var seed: UInt64 { get }
  /// A run of the atlas by its name, trained unless it is there.
  ///
  /// `game`: a gan's; `settings`: over the family's default preset, as `--set` takes them. Throws what
  /// a training throws.
  func run(
    _ name: String, _ family: Family, data: String, budget: TrainingBudget,
    game: GANRecipe.Game?, settings: [String]
  ) throws -> any TrainedModel
  /// Forgets which runs were asked for and trained.
  func beginClaim()
  /// Seconds of training of the runs that were asked for since, by name.
  var usedRuns: [String: Double] { get }
  /// Seconds of the trainings that were done since.
  var trainedSeconds: Double { get }
  /// Tells a person what is measured.
  func tell(_ what: String)
  /// Throws when a signal came.
  func checkInterruption() throws
}

extension AtlasWorkshop {
  /// An autoencoder on the atlas's pictures.
  func autoencoder(
    _ name: String, _ family: Family, minutes: Double = 3, settings: [String] = []
  ) throws -> TrainedAutoencoder {
    let model = try run(
      name, family, data: data, budget: .minutes(minutes), game: nil, settings: settings)
    guard let model = model as? TrainedAutoencoder else {
      throw EvaluationError(path: model.folder.path, "this run of the atlas is no autoencoder.")
    }
    return model
  }
}
