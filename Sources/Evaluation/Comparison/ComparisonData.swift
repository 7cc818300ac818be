import Datasets
import Torch
import Training

/// The one set that runs are compared on, at the size of the largest run's pictures.
struct ComparisonData {
  /// The pictures that runs learned from; of sets in shards a sample.
  let training: any Dataset
  /// The pictures held out.
  let held: any Dataset
  /// Pixels along each side.
  let side: Int
  /// 1 for grey, 3 for colour.
  let channels: Int

  /// Opens a set by its name, or the one that all models were trained on.
  ///
  /// Throws `EvaluationError` for models of different data without a name, `TrainingError` for a
  /// network without a size, `DatasetError` for data that is not there.
  init(for models: [any TrainedModel], named data: String?) throws {
    precondition(!models.isEmpty, "a comparison of no run")
    for model in models { try model.requireSize() }
    let name = try data ?? Self.commonName(models)
    side = models.map(\.imageSize).max() ?? 0
    channels = models.map(\.channels).max() ?? 1
    training = try DatasetCatalog.open(name, split: .train, imageSize: side, channels: channels)
      .inMemory()
    held = try DatasetCatalog.open(name, split: .test, imageSize: side, channels: channels)
  }

  /// Whether a model draws pictures of this size.
  func isSize(of model: any TrainedModel) -> Bool {
    model.imageSize == side && model.channels == channels
  }

  /// A model's pictures as they are compared, `[N, C, side, side]`.
  func fitted(_ pictures: Tensor) -> Tensor { pictures.fitted(toSide: side, channels: channels) }

  /// The places of held-out pictures to show, of all classes in turn where there are `classes`.
  func shown(_ count: Int, classes: Int?) -> [Int] {
    guard let classes, held.classNames?.count == classes else { return held.spread(count) }
    var places = [[Int]](repeating: [], count: classes)
    for index in 0..<held.count {
      guard let label = held.label(at: index), places.indices.contains(label) else { continue }
      places[label].append(index)
    }
    let turns = (0..<count).map { places[$0 % classes].dropFirst($0 / classes).first }
    return turns.contains(nil) ? held.spread(count) : turns.compactMap { $0 }
  }

  private static func commonName(_ models: [any TrainedModel]) throws -> String {
    let sources = try models.map { model in
      guard let source = model.origin?.data else {
        throw EvaluationError(
          path: model.folder.path, "this model was trained elsewhere; name the data with --data.")
      }
      return source
    }
    for (model, source) in zip(models, sources).dropFirst() {
      // A fingerprint belongs to pictures of one size.
      let isAlike =
        source.imageSize == sources[0].imageSize && source.channels == sources[0].channels
      let isSame =
        isAlike ? source.fingerprint == sources[0].fingerprint : source.name == sources[0].name
      guard isSame else {
        let first = models[0].folder.path
        let difference =
          source.name == sources[0].name
          ? "this run and \(first) were trained on \(source.name) in different states"
          : "this run was trained on \(source.name), and \(first) on \(sources[0].name)"
        throw EvaluationError(
          path: model.folder.path,
          "\(difference); name the data to measure all of them on with --data.")
      }
    }
    return sources[0].name
  }
}
