import Datasets
import Diffusion
import Foundation
import Interchange
import Models
import NeuralNets
import Torch
import Training

/// What is wrong with a run, by its record, its curves, its weights and its samples.
public struct Diagnosis {
  /// What was found, warnings first.
  public let findings: [Finding]
  /// The number of checks that were made.
  public let checks: Int
  /// The run's folder and its family.
  public let run: (path: String, family: Family)

  /// Whether there is nothing to warn of.
  public var isHealthy: Bool { !findings.contains { $0.severity == .warning } }

  /// What a diagnosis looks at.
  public struct Options: Sendable {
    /// The name or path of the data; `nil` for the run's own.
    public var data: String?
    /// New pictures to draw; `nil`: 200 of a diffusion model, 1000 of an autoencoder.
    public var samples: Int?
    /// Features that pictures are compared by.
    public var features: FeatureChoice
    /// Names all that is drawn.
    public var seed: UInt64

    /// The run's own data and the features that suit it, unless said otherwise.
    public init(
      data: String? = nil, samples: Int? = nil, features: FeatureChoice = .automatic, seed: UInt64
    ) {
      self.data = data
      self.samples = samples
      self.features = features
      self.seed = seed
    }
  }

  /// Diagnoses a model; `progress` hears the share of a part that is done, and which.
  ///
  /// Throws an `ExplainedError` for data that is not the run's, for pictures that cannot be read, and
  /// for files that are damaged.
  public init(
    of model: any TrainedModel, _ options: Options,
    progress: @escaping (Double, String) throws -> Void = { _, _ in }
  ) throws {
    let training = try model.open(options.data, split: .train)
    let held = try model.open(options.data, split: .test)
    try self.init(of: model, training: training, held: held, options, progress: progress)
  }

  /// Diagnoses a model by the pictures that it was trained on and others.
  ///
  /// Throws an `ExplainedError` for data that is not the run's, for pictures that cannot be read, and
  /// for files that are damaged.
  public init(
    of model: any TrainedModel, training: any Dataset, held: any Dataset, _ options: Options,
    progress: @escaping (Double, String) throws -> Void = { _, _ in }
  ) throws {
    if let record = model.origin, record.data.fingerprint != training.fingerprint {
      throw EvaluationError(
        path: training.name,
        "this is not the data that the run was trained on (its fingerprint differs), and what is "
          + "new is told from what was learned by it; name that data with --data.")
    }
    guard training.count > 1, held.count > 1 else {
      throw EvaluationError(
        path: training.name,
        "a diagnosis needs two training and two held-out pictures, and there are "
          + "\(training.count) and \(held.count).")
    }
    let examination = Examination(
      training: training, held: held, options: options, progress: progress)
    var facts: [any Diagnosable] = []
    if let record = model.origin {
      facts.append(try TrainingHistory(of: model.folder, record: record))
    }
    switch model {
    case let model as TrainedAutoencoder: facts += try examination.facts(of: model)
    case let model as TrainedDiffusion: facts += try examination.facts(of: model)
    case let model as TrainedClassifier: facts += try examination.facts(of: model)
    default:
      throw EvaluationError(
        path: model.folder.path, "there is nothing to diagnose in a \(model.family.rawValue).")
    }
    self.init(of: facts, run: model.folder.path, family: model.family)
  }

  /// What the checks of some facts say.
  public init(of facts: [any Diagnosable], run: String, family: Family) {
    let verdicts = facts.flatMap(\.verdicts)
    let found = verdicts.compactMap(\.self)
    findings = found.filter { $0.severity == .warning } + found.filter { $0.severity == .note }
    checks = verdicts.count
    self.run = (run, family)
  }

  /// The diagnosis for machines.
  public var json: JSONObject {
    [
      "run": .string(run.path), "family": .string(run.family.rawValue),
      "healthy": .bool(isHealthy), "checks": .int(checks),
      "findings": .array(findings.map { .object($0.json) }),
    ]
  }

  /// The diagnosis for people.
  public var lines: [String] {
    guard !findings.isEmpty else { return ["\(run.path): nothing found: \(checks) checks"] }
    let warnings = findings.count { $0.severity == .warning }
    let notes = findings.count - warnings
    func counted(_ count: Int, _ word: String) -> String {
      "\(count == 0 ? "no" : "\(count)") \(word)\(count == 1 ? "" : "s")"
    }
    return [
      "\(run.path): \(counted(warnings, "warning")), \(counted(notes, "note")): \(checks) checks"
    ] + findings.flatMap(\.lines)
  }
}

/// Gathers the facts of each family.
struct Examination {
  let training: any Dataset
  let held: any Dataset
  let options: Diagnosis.Options
  let progress: (Double, String) throws -> Void

  /// Pictures of each part that errors are measured on.
  private static let most = 500

  private func extractor(_ model: any TrainedModel) throws -> any FeatureExtractor {
    try options.features.extractor(
      for: options.data ?? model.origin?.data.name ?? training.name, device: .cpu
    ) { training }
  }

  /// Codes, reconstructions, and what is drawn from N(0, 1).
  func facts(of run: TrainedAutoencoder) throws -> [any Diagnosable] {
    let network = run.autoencoder
    let networks = try RunNetworks(network, of: run.folder, run.record) { generator in
      let made = Autoencoder(network.config, using: generator)
      if let sigma = run.record.config["sigma"]?.double, generator != nil {
        made.setDeviation(sigma)
      }
      return made
    }
    let weights = WeightFacts(network)
    guard weights.findings.isEmpty else { return [weights] }
    func errors(_ network: Autoencoder, on set: any Dataset) throws -> [Double] {
      let x = try set.pictures(set.spread(Self.most)).to(network.parameters[0].value.device)
      return withoutGradients {
        (network.decode(network.encode(x)) - x).square().flattened(from: 1).mean([1])
          .to(.float64).to(.cpu).elements()
      }
    }
    try progress(0, "reconstructions")
    let heldErrors = try errors(network, on: held)
    let generalization = GeneralizationFacts(
      measure: "squared error of reconstructions",
      trainingErrors: try errors(network, on: training), heldOutErrors: heldErrors,
      pictures: training.count, valuesPerPicture: training.elementShape.reduce(1, *),
      parameters: network.parameterCount)
    let averages = try AverageFacts(of: networks) {
      Moments(try errors($0, on: held)).mean
    }
    let drawn = run.sample(options.samples ?? 1000, seed: options.seed)
    let extractor = try extractor(run)
    try progress(0.3, "codes")
    let latent = try LatentFacts(
      of: run, on: held, drawn: drawn, by: extractor, seed: options.seed)
    var facts: [any Diagnosable] = [weights, averages, generalization, latent]
    if run.family == .vae {
      try progress(0.6, "samples")
      facts.append(
        try SampleFacts(
          of: drawn, isDecoded: true, training: training, held: held, by: extractor))
    }
    return facts
  }

  /// Noise levels, the schedule, and samples.
  func facts(of model: TrainedDiffusion) throws -> [any Diagnosable] {
    let pipeline = model.pipeline
    let networks = try RunNetworks(pipeline.unet, of: model.folder, model.origin) {
      UNet2D(pipeline.unet.config, using: $0)
    }
    let weights = WeightFacts(pipeline.unet)
    let config = pipeline.scheduler.config
    var facts: [any Diagnosable] = [weights]
    if !pipeline.scheduler.isFlow {
      let recipe = try? model.origin?.config.decode(DiffusionRecipe.self)
      facts.append(
        ScheduleFacts(
          schedule: NoiseSchedule(config), prediction: config.predictionType,
          trained: recipe.map { NoiseSchedule($0.schedulerConfig) }))
    }
    guard weights.findings.isEmpty else { return facts }
    let probe = try DenoisingProbe(model, training: training, seed: options.seed)
    func errors(_ unet: UNet2D, _ set: any Dataset, _ what: String) throws -> [[Double]] {
      try probe.errors(of: unet, on: set, at: set.spread(256)) {
        try progress($0, "noise levels, \(what)")
      }
    }
    func perPicture(_ errors: [[Double]]) -> [Double] {
      errors[0].indices.map { picture in
        errors.reduce(0) { $0 + $1[picture] } / Double(errors.count)
      }
    }
    let heldErrors = try errors(pipeline.unet, held, "held-out pictures")
    let trainedErrors = try networks.trained.map { try errors($0, held, "trained weights") }
    facts += [
      probe.facts(heldErrors),
      AverageFacts(
        averagedError: Moments(perPicture(heldErrors)).mean,
        trainedError: trainedErrors.map { Moments(perPicture($0)).mean },
        averagedMovement: networks.initial.map(pipeline.unet.relativeDistance),
        trainedMovement: networks.initial.flatMap {
          networks.trained?.relativeDistance(from: $0)
        }),
      GeneralizationFacts(
        measure: "squared error of the prediction",
        trainingErrors: perPicture(try errors(pipeline.unet, training, "training pictures")),
        heldOutErrors: perPicture(heldErrors), pictures: training.count,
        valuesPerPicture: training.elementShape.reduce(1, *),
        parameters: pipeline.unet.parameterCount),
    ]
    let drawer = try SampleDrawer(
      model,
      SampleRequest(
        seed: options.seed, steps: min(20, config.numTrainTimesteps),
        sampler: pipeline.scheduler.isFlow ? nil : .dpmpp2M))
    let raw = try drawer.raw(0..<(options.samples ?? 200), of: model) {
      try progress($0, "samples")
    }
    facts.append(
      try SampleFacts(
        of: DiffusionPipeline.pictures(raw), raw: raw, isDecoded: false, training: training,
        held: held, by: try extractor(model)))
    return facts
  }

  /// Accuracies.
  func facts(of run: TrainedClassifier) throws -> [any Diagnosable] {
    guard options.samples == nil else {
      throw EvaluationError(
        path: run.folder.path, "a classifier draws no pictures; leave --samples out.")
    }
    let networks = try RunNetworks(run.classifier, of: run.folder, run.record) {
      Classifier(run.classifier.config, using: $0)
    }
    let weights = WeightFacts(run.classifier)
    guard weights.findings.isEmpty else { return [weights] }
    let names = run.classifier.config.classNames.count
    func judged(
      _ network: Classifier, on set: any Dataset
    ) throws -> (losses: [Double], right: Double, labels: [Int]) {
      let indices = set.spread(2000)
      let labels = try indices.map { index in
        guard let label = set.label(at: index), label < names else {
          throw EvaluationError(
            path: set.name,
            "some pictures of this data have no class, or one that the classifier does not know.")
        }
        return label
      }
      let device = network.parameters[0].value.device
      let x = try set.pictures(indices).to(device)
      return withoutGradients {
        let logits = network(x).to(.cpu)
        let targets = Tensor(labels)
        return (
          logits.crossEntropy(targets, reduction: .none).to(.float64).elements(),
          (logits.argmax(1) .== targets).to(.float64).mean().item(), labels
        )
      }
    }
    try progress(0, "held-out pictures")
    let onHeld = try judged(run.classifier, on: held)
    try progress(0.5, "training pictures")
    let onTraining = try judged(run.classifier, on: training)
    let counts = Dictionary(onHeld.labels.map { ($0, 1) }, uniquingKeysWith: +)
    return [
      weights,
      try AverageFacts(of: networks) { Moments(try judged($0, on: held).losses).mean },
      GeneralizationFacts(
        measure: "", trainingErrors: [], heldOutErrors: [], pictures: training.count,
        valuesPerPicture: training.elementShape.reduce(1, *),
        parameters: run.classifier.parameterCount),
      ClassifierFacts(
        trainingAccuracy: onTraining.right, trainingCount: onTraining.labels.count,
        heldOutAccuracy: onHeld.right, heldOutCount: onHeld.labels.count,
        largestShare: Double(counts.values.max() ?? 0) / Double(onHeld.labels.count)),
    ]
  }
}

/// Whether a network's weights are numbers.
struct WeightFacts: Diagnosable {
  let bad: Int
  let count: Int

  init(_ network: Module) {
    bad = network.notFiniteCount
    count = network.parameterCount
  }

  var verdicts: [Finding?] { [notFinite] }

  private var notFinite: Finding? {
    guard bad > 0 else { return nil }
    return Finding(
      "not_finite", figure: Double(bad), threshold: 0,
      "\(bad) of \(count) weights are infinite or not numbers.",
      why: "whatever such a network is shown, it answers nothing; nothing else was checked.",
      remedy: "train anew with a lower learning_rate or with gradient_clip set, or take an earlier "
        + "checkpoint.")
  }
}
