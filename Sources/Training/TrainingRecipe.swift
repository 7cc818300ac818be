import Datasets
import Interchange
import Torch

/// Everything that decides how a family is trained, apart from data, seed and length. Its JSON keys
/// are the names that `--set` and `--config` take.
public protocol TrainingRecipe: Codable, Sendable, Equatable {
  /// The recipes of a family by name, the default first.
  static func presets(of family: Family) -> [Preset<Self>]

  /// The family's default.
  init()

  /// Pictures a step.
  var batchSize: Int { get }

  /// What a person should know before a training on this data begins, a sentence each.
  func notes(on train: any Dataset) -> [String]

  /// What looks across a batch, so that it is not the same for ranks that share one.
  var batchWideParts: [String] { get }

  /// A trainer at its beginning, or at a checkpoint's position; `ranks` are who trains together.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe or a
  /// picture size that makes no network.
  func trainer(
    of family: Family, train: any Dataset, test: any Dataset, seed: UInt64, device: Device,
    from position: TrainingPosition, ranks: Ranks
  ) throws -> any Trainer
}

/// A named recipe: what it is, and how it differs from the default.
public struct Preset<Recipe: TrainingRecipe> {
  /// What `--preset` takes.
  public let name: String
  /// What it is, in a few words.
  public let summary: String
  let apply: (inout Recipe) -> Void

  init(_ name: String, _ summary: String, apply: @escaping (inout Recipe) -> Void = { _ in }) {
    self.name = name
    self.summary = summary
    self.apply = apply
  }

  /// The whole recipe.
  public var recipe: Recipe {
    var recipe = Recipe()
    apply(&recipe)
    return recipe
  }
}

extension TrainingRecipe {
  /// Nothing.
  public var batchWideParts: [String] { [] }

  /// Nothing.
  public func notes(on train: any Dataset) -> [String] { [] }

  /// The recipe of a run's record. Settings that the version which wrote it did not know stand at
  /// their defaults. Throws `JSONError`.
  public init(recorded config: JSON) throws(JSONError) {
    guard var settings = (try? JSON(encoding: Self()))?.object, let recorded = config.object else {
      self = try config.decode()
      return
    }
    for (key, value) in recorded { settings[key] = value }
    self = try JSON.object(settings).decode()
  }

  /// A recipe by the name that `--preset` takes; the default without one.
  ///
  /// Throws `ConfigError` for another name, with the nearest one.
  public init(preset name: String?, family: Family) throws(ConfigError) {
    let presets = Self.presets(of: family)
    guard let name else {
      self = presets[0].recipe
      return
    }
    guard let preset = presets.first(where: { $0.name == name }) else {
      let near =
        nearestName(to: name, among: presets.map(\.name)).map { "; did you mean \($0)?" } ?? ";"
      throw ConfigError(
        path: nil,
        sentence: "there is no preset \"\(name)\" for this family\(near) the presets are "
          + presets.map(\.name).joined(separator: ", ") + ".")
    }
    self = preset.recipe
  }
}
