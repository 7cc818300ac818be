import Datasets
import Diffusion
import Foundation
import Torch
import Training

/// Runs of any family, measured by one extractor on the same pictures and drawn from the same seeds.
public struct Comparison {
  /// How the runs are compared.
  public struct Settings: Sendable {
    /// Samples a run.
    public var count = 1000
    /// Picture i of every run is drawn with seed + i.
    public var seed: UInt64
    /// Steps of diffusion models, a point of the plot each; the most stands in the tables.
    public var steps = [10, 20, 50]
    /// The sampler of diffusion models; `nil` for their own.
    public var sampler: SamplerName?
    /// How strongly diffusion models follow classes.
    public var guidance = Guidance()
    /// Held-out pictures that the bound of a diffusion model is taken of; 0 leaves it out.
    public var boundCount = 0
    /// Whether samples are kept in the run's folder.
    public var isCached = true

    /// The defaults with a seed.
    public init(seed: UInt64) { self.seed = seed }
  }

  /// Held-out pictures that samples are compared with, at most.
  private static let references = 10_000
  /// Pictures of a run that a page shows, at most.
  static let shownPictures = 40

  /// How the runs were compared.
  public let settings: Settings
  /// The set's name.
  public let data: String
  /// Pixels along each side of the pictures as they are compared.
  public let side: Int
  /// Their channels, 1 or 3.
  public let channels: Int
  /// The extractor's name, hash and resizing.
  public let extractor: (name: String, hash: String, resizing: String)
  /// Numbers in a feature vector.
  public let width: Int
  /// The number of held-out pictures that samples are compared with.
  public let referenceCount: Int
  /// Training pictures measured as if they were samples: what no model can be better than.
  public let real: SampleMeasures
  /// The runs in the order given.
  public let runs: [ComparedRun]
  /// Held-out pictures to show, `[N, C, H, W]`.
  public let pictures: Tensor
  /// Pictures in a row of the page.
  public let columns: Int

  /// Draws from all models and measures them.
  ///
  /// - Parameters:
  ///   - models: The models with what the page calls them, at least one.
  ///   - data: The set to measure on; `nil` for the one that all were trained on.
  ///   - features: Which features samples are compared by.
  ///   - settings: How many are drawn, and how.
  ///   - device: Where features are computed.
  ///   - progress: Hears the share of a part that is done, and what it is.
  ///
  /// Throws `EvaluationError` for models of different data or without new pictures, `SamplerError`
  /// for what a diffusion model cannot do, and when data cannot be read.
  public init(
    of models: [(name: String, model: any TrainedModel)], on data: String?,
    by features: FeatureChoice,
    _ settings: Settings, device: Device = .cpu,
    progress: (Double, String) throws -> Void = { _, _ in }
  ) throws {
    let drawers = try models.map { try SampleDrawer($0.model, SampleRequest(seed: settings.seed)) }
    let pictures = try ComparisonData(for: models.map(\.model), named: data)
    let extractor = try features.extractor(for: pictures.held.name, device: device) {
      pictures.training
    }
    let reference = try ReferenceFeatures(
      of: pictures.held, by: extractor, limit: Self.references
    ) { try progress($0, "features of held-out pictures") }
    let wanted: Set<SampleMeasure> = [
      .fid, .fidInfinity, .kid, .precisionRecall, .classAccuracy, .sharpness,
    ]
    func measured(
      _ samples: Samples, _ name: String, drawn: String
    ) throws -> SampleMeasures {
      try SampleMeasures(
        of: samples, drawn: drawn, by: extractor, against: reference, held: pictures.held,
        training: pictures.training, wanted: wanted, seed: settings.seed
      ) { try progress($0, "\(name): \($1)") }
    }
    let places = pictures.training.spread(settings.count)
    let labels = places.compactMap { pictures.training.label(at: $0) }
    real = try measured(
      Samples(
        pictures: try pictures.training.pictures(places),
        labels: labels.count == places.count ? labels : nil, seconds: 0),
      "training pictures", drawn: "from the training part")
    runs = try models.map { name, model in
      do {
        return try Self.run(
          name, model, on: pictures, settings, measure: { try measured($0, name, drawn: $1) },
          progress: { try progress($0, "\(name): \($1)") })
      } catch let error as EvaluationError where error.path == nil {
        throw EvaluationError(path: model.folder.path, error.sentence)
      }
    }
    self.settings = settings
    self.data = pictures.held.name
    (side, channels) = (pictures.side, pictures.channels)
    self.extractor = (extractor.name, extractor.hash, extractor.resizing)
    width = extractor.width
    referenceCount = reference.count
    // A class a column, where that is legible.
    let classes = drawers.compactMap(\.classCount).first
    columns = classes.map { (4...12).contains($0) ? $0 : 10 } ?? 10
    let shown = min(Self.shownPictures / columns * columns, settings.count)
    self.pictures = try pictures.held.pictures(pictures.shown(shown, classes: classes))
  }

  private static func run(
    _ name: String, _ model: any TrainedModel, on data: ComparisonData, _ settings: Settings,
    measure: (Samples, String) throws -> SampleMeasures,
    progress: (Double, String) throws -> Void
  ) throws -> ComparedRun {
    let diffusion = model as? TrainedDiffusion
    var notes: [String] = []
    var drawings: [ComparedRun.Drawing] = []
    var shown: Tensor?
    for steps in diffusion == nil ? [nil] : settings.steps.sorted().map(Optional.some) {
      let request = SampleRequest(
        seed: settings.seed, steps: steps, sampler: settings.sampler, guidance: settings.guidance)
      let words = steps.map { "drawing in \($0) steps" } ?? "drawing"
      let drawn = try SampleDrawer(model, request)
        .samples(settings.count, cached: settings.isCached) { try progress($0, words) }
      let samples = Samples(
        pictures: data.fitted(drawn.pictures), labels: drawn.labels, seconds: drawn.seconds)
      let measures = try measure(samples, request.description(for: model))
      drawings.append(.init(steps: steps, measures: measures))
      notes += measures.notes.filter { !notes.contains($0) }
      shown = samples.pictures[0..<min(shownPictures, settings.count)]
    }
    let isSize = data.isSize(of: model)
    if !isSize {
      notes.append(
        "its pictures are \(model.imageSize)×\(model.imageSize)"
          + "\(model.channels == data.channels ? "" : model.channels == 1 ? " and grey" : " in colour")"
          + "; they are brought to \(data.side)×\(data.side), bilinear, before they are measured.")
    }
    var reconstruction: ReconstructionMeasures?
    var bound: ComparedRun.Bound?
    if let autoencoder = model as? TrainedAutoencoder {
      try progress(0, "reconstructions")
      // To the network's size and back, where it is another.
      reconstruction = try ReconstructionMeasures(
        on: data.held, limit: max(settings.count, 1000)
      ) { x in
        let shown = x.fitted(toSide: autoencoder.imageSize, channels: autoencoder.channels)
        return data.fitted(autoencoder.decode(autoencoder.encode(shown)))
      }
    }
    if isSize {
      do {
        bound = try Self.bound(of: model, on: data.held, settings) {
          try progress($0, "likelihood")
        }
      } catch let error as SamplerError {
        notes.append(error.sentence)
      }
    } else if model.family == .vae || (model is TrainedDiffusion && settings.boundCount > 0) {
      notes.append("the likelihood of pictures of another size cannot be compared and is left out.")
    }
    guard let shown else { preconditionFailure("a run is drawn from at least once") }
    return ComparedRun(
      name: name, path: model.folder.path, family: model.family, weightsHash: model.weightsHash,
      parameters: model.parameterCount, record: model.origin, side: model.imageSize,
      drawings: drawings, reconstruction: reconstruction, bound: bound, pictures: shown,
      notes: notes)
  }

  private static func bound(
    of model: any TrainedModel, on held: any Dataset, _ settings: Settings,
    progress: (Double) throws -> Void
  ) throws -> ComparedRun.Bound? {
    if let diffusion = model as? TrainedDiffusion {
      guard settings.boundCount > 0 else { return nil }
      let report = try DiffusionReport(
        of: diffusion, on: held, seed: settings.seed, limit: settings.boundCount,
        progress: progress)
      return report.json["bits_per_dim"]?.double.map { .bitsPerDimension($0) }
    }
    guard model.family == .vae, let vae = model as? TrainedAutoencoder else { return nil }
    let bounds = try vae.autoencoder.measureBounds(
      on: held, importanceSamples: 0, seed: settings.seed, limit: max(settings.count, 1000))
    return .nats(-bounds.elbo, likelihood: vae.autoencoder.config.likelihood.rawValue)
  }
}
