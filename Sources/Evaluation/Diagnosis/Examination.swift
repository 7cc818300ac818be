import Datasets
import Diffusion
import Models
import NeuralNets
import Torch
import Training

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
    let networks = try RunNetworks(
      network, of: run.folder, run.record,
      file: run.family == .vaeGAN ? "autoencoder-network" : "network"
    ) { generator in
      let made = Autoencoder(network.config, using: generator)
      if let sigma = run.record.config["sigma"]?.double, generator != nil {
        made.setDeviation(sigma)
      }
      return made
    }
    let restoring = try restoring(networks) { $0.decode($0.encode($1)) }
    guard restoring.count > 1 else { return restoring }
    let drawn = run.sample(options.samples ?? 1000, seed: options.seed)
    let extractor = try extractor(run)
    try progress(0.3, "codes")
    let latent = try LatentFacts(
      of: run, on: held, drawn: drawn, by: extractor, seed: options.seed)
    var facts = restoring + [latent]
    if run.family != .ae {
      try progress(0.6, "samples")
      facts.append(
        try SampleFacts(
          of: drawn, isDecoded: true, training: training, held: held, by: extractor))
    }
    return facts
  }

  /// Reconstructions.
  func facts(of run: TrainedAutoencoderKL) throws -> [any Diagnosable] {
    guard options.samples == nil else {
      throw EvaluationError(
        path: run.folder.path, "a KL autoencoder draws no pictures; leave --samples out.")
    }
    let networks = try RunNetworks(
      run.autoencoder, of: run.folder, run.record, file: "autoencoder-network"
    ) { AutoencoderKL(run.autoencoder.config, using: $0) }
    return try restoring(networks) { $0.restored($1) }
  }

  /// What any network's reconstructions say of it; its weights alone where these are no numbers.
  private func restoring<Network: Module>(
    _ networks: RunNetworks<Network>, by restored: (Network, Tensor) -> Tensor
  ) throws -> [any Diagnosable] {
    let network = networks.exported
    let weights = WeightFacts(network)
    guard weights.findings.isEmpty else { return [weights] }
    func errors(_ network: Network, on set: any Dataset) throws -> [Double] {
      let x = try set.pictures(set.spread(Self.most)).to(network.parameters[0].value.device)
      return withoutGradients {
        (restored(network, x) - x).square().flattened(from: 1).mean([1])
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
    return [weights, averages, generalization]
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
      let recipe = model.origin.flatMap { try? DiffusionRecipe(recorded: $0.config) }
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
    // Twenty steps of the quick sampler, where the levels are enough for it.
    let isQuick = !pipeline.scheduler.isFlow && config.numTrainTimesteps >= 100
    let drawer = try SampleDrawer(
      model,
      SampleRequest(
        seed: options.seed, steps: config.numTrainTimesteps >= 100 ? 20 : nil,
        sampler: isQuick ? .dpmpp2M : nil))
    let raw = try drawer.raw(0..<(options.samples ?? 200), of: model) {
      try progress($0, "samples")
    }
    facts.append(
      try SampleFacts(
        of: DiffusionPipeline.pictures(raw), raw: raw, isDecoded: false, training: training,
        held: held, by: try extractor(model)))
    return facts
  }

  /// The game, and what the generator draws.
  func facts(of run: TrainedGAN, history: TrainingHistory) throws -> [any Diagnosable] {
    let networks = try RunNetworks(
      run.generator, of: run.folder, run.record, file: "generator-network"
    ) { GeneratorNetwork(run.generator.config, using: $0) }
    let discriminator = try run.discriminator()
    let weights = [WeightFacts(run.generator), WeightFacts(discriminator)]
    guard weights.allSatisfy(\.findings.isEmpty) else { return weights }
    try progress(0, "discriminator")
    let game = try AdversarialFacts(
      of: run, history: history, training: training, held: held, seed: options.seed)
    // A game has no error on held-out samples, so the averages are judged by their way alone.
    let averages = AverageFacts(
      averagedError: 0, trainedError: nil,
      averagedMovement: networks.initial.map(run.generator.relativeDistance),
      trainedMovement: networks.initial.flatMap {
        networks.trained?.relativeDistance(from: $0)
      })
    let size = GeneralizationFacts(
      measure: "", trainingErrors: [], heldOutErrors: [], pictures: training.count,
      valuesPerPicture: training.elementShape.reduce(1, *),
      parameters: run.generator.parameterCount)
    try progress(0.5, "samples")
    let drawn = run.sample(options.samples ?? 1000, seed: options.seed)
    if let mixture = PointMixture.named(training.name, split: .test) {
      return weights + [game, averages, ModeFacts(of: drawn.points, mixture: mixture)]
    }
    return weights + [
      game, averages, size,
      try SampleFacts(
        of: drawn, isDecoded: false, training: training, held: held, by: try extractor(run)),
    ]
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
