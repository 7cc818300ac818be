import ArgumentParser
import Datasets
import Evaluation
import Foundation
import Interchange
import Torch
import Training

/// `latent evaluate RUN`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a run on held-out data.",
    discussion: """
      Everything that means something for the family: likelihood (vae, diffusion), reconstruction \
      (ae, vae), classification (classifier), discriminator and modes (gan), retrieval \
      (latent-diffusion: whether pictures drawn for captions are nearest to their own), and the samples of those that draw: fid, \
      fid-infinity, class-fid, kid, inception-score, precision-recall, class-accuracy, \
      class-balance, memorization, duplicates, sharpness. --measures chooses some. Samples are \
      kept in the run's folder, so that an interrupted evaluation goes on.

      JSON keys: run, family, data, count, seed, split (with --split train); vae: elbo, iwae, kl, reconstruction (nats a \
      picture; elbo = −reconstruction − kl ≤ iwae), iwae_samples, active_units; ae: \
      reconstruction (nats a picture), mse (of values in 0...1); ae and vae: reconstructions \
      (mse, psnr, ssim, ms_ssim, ms_ssim_scales, sharpness, sharpness_real, count); diffusion: \
      bits_per_dim (the variational bound), prior and decoder (its last and first term), terms \
      (one a level, null where none was drawn), levels; classifier: accuracy, precision, recall, \
      f1, by_class, confusion (a row for each true class); gan: \
      discriminator (accuracy, auc, value, real_share_training, real_share_held_out, count), over \
      points modes, mode_count, high_quality, mode_entropy; latent-diffusion: captions, scales \
      (guidance, top1, top5, distance, diversity), sheet; samples: extractor, extractor_hash, \
      resizing, features, drawn, count, reference_count, seconds_per_picture, fid, fid_floor (as \
      many training pictures), fid_infinity, class_fid, kid, kid_error, inception_score, \
      inception_score_deviation, precision, recall, density, coverage (and each with _real: of as \
      many training pictures), class_accuracy, classes, \
      class_entropy (1: even), exact_copies, nearer_to_training, nearer_to_training_expected, \
      nearest_training, nearest_held_out (medians of the distance in pixels), duplicate_pairs, \
      duplicate_support (as if there were so many pictures in all), sharpness, sharpness_real, notes.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var runPath: String

  @Option(help: "The data to measure on (default: the run's own, held-out part).")
  var data: String?

  @Option(help: "The part of the data: train or test.")
  var split = Split.test

  @Option(
    name: [.customShort("n"), .long],
    help: "How many pictures of the data (default: all; 300 for the bound of diffusion).")
  var count: Int?

  @Option(help: "How many new pictures are drawn (default: 1000).")
  var samples: Int?

  @Option(
    help: ArgumentHelp(
      "The measures, with commas between them (default: all that mean something).",
      valueName: "a,b"))
  var measures: MeasureList?

  @Option(
    help: ArgumentHelp(
      """
      What pictures are compared by: pixels, a classifier's run, or a safetensors file of \
      Inception-v3's weights (default: the classifier that ships for the data, else pixels).
      """, valueName: "features"))
  var features: FeatureChoice = .automatic

  @Option(help: "Draws a picture for the importance-weighted bound; 0 leaves it out.")
  var iwaeSamples = 50

  @Option(help: "Diffusion: noise levels that each picture visits for the bound; 1000: all.")
  var levels = 100

  @OptionGroup(title: "Drawing (diffusion)") var denoising: DenoisingOptions

  @Flag(help: "Do not keep the samples in the run's folder.")
  var noCache = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard (0...5000).contains(iwaeSamples) else {
      throw ValidationError("--iwae-samples is \(iwaeSamples); it must lie in 0...5000.")
    }
    guard (1...100_000).contains(levels) else {
      throw ValidationError("--levels is \(levels); it must lie in 1...100000.")
    }
    if let samples, !(2...1_000_000).contains(samples) {
      throw ValidationError("--samples is \(samples); it must lie in 2...1000000.")
    }
    if let count, count < 1 { throw ValidationError("--count is \(count); it must be positive.") }
  }

  func run() throws {
    let device = try compute.start()
    let model = try TrainedModels.open(runPath, device: device)
    if let prompted = model as? TrainedLatentDiffusion { return try retrieval(prompted) }
    if let given = denoising.given, !(model is TrainedDiffusion) {
      throw CommandError(
        "\(runPath): \(given) means nothing to a run of the family \(model.family.rawValue); it "
          + "belongs to diffusion models")
    }
    if let gan = model as? TrainedGAN, gan.makesPoints { return try modes(gan) }
    let possible = MeasureList.possible(for: model)
    if let other = measures?.names.first(where: { !possible.contains($0) }) {
      throw CommandError(
        "\(runPath): the measure \(other) means nothing to a run of the family "
          + "\(model.family.rawValue); it has \(possible.joined(separator: ", "))")
    }
    var wanted = Set(measures?.names ?? possible)
    if measures == nil, (model as? TrainedDiffusion)?.pipeline.scheduler.isFlow == true {
      wanted.remove("likelihood")  // the bound is a Markov chain's
    }
    if split == .train {
      if measures?.names.contains(SampleMeasure.memorization.rawValue) == true {
        throw CommandError(
          "\(runPath): memorization sets samples between training and held-out pictures; leave "
            + "--split train out")
      }
      wanted.remove(SampleMeasure.memorization.rawValue)
    }
    if samples != nil, !possible.contains(SampleMeasure.kid.rawValue) {
      throw CommandError(
        "\(runPath): a run of the family \(model.family.rawValue) draws no pictures by itself; leave "
          + "--samples out")
    }
    let set = try model.open(data, split: split)
    for note in (model as? TrainedDiffusion)?.pipeline.notes ?? [] {
      output.talk("note: \(runPath): \(note)")
    }
    Interruption.listen()
    let line = output.quiet ? nil : StatusLine()
    let seed = seed.value
    func progress(_ share: Double, _ what: String) throws {
      line?.show("\(StatusLine.bar(share)) \(what)")
      guard let signal = Interruption.signalNumber else { return }
      line?.finish()
      output.talk(
        noCache ? "interrupted" : "interrupted; the same command goes on with --seed \(seed)")
      throw ExitCode(128 + signal)
    }
    // Before the long work, so that a wrong file is told at once.
    let measuring = try measuring(model, set, wanted, device)
    var (json, lines) = try family(model, set, wanted, seed, progress)
    if let measuring {
      let drawn = try drawn(model, set, measuring, seed, progress)
      json["samples"] = .object(drawn.json)
      lines += drawn.lines
    }
    line?.finish()
    if split == .train {
      // The reports call the pictures that they are given held out.
      lines = lines.map { $0.replacing("held-out pictures", with: "training pictures") }
      json["split"] = .string(split.rawValue)
    }
    try output.report(json, lines: lines)
  }

  /// What a family has of its own: likelihood, reconstructions, classification.
  private func family(
    _ model: any TrainedModel, _ set: any Dataset, _ wanted: Set<String>, _ seed: UInt64,
    _ progress: (Double, String) throws -> Void
  ) throws -> (JSONObject, [String]) {
    var json: JSONObject = [
      "run": .string(runPath), "family": .string(model.family.rawValue),
      "data": .string(set.name), "seed": .int(Int(seed)),
      "count": .int(min(set.count, count ?? .max)),
    ]
    var lines: [String] = []
    if let diffusion = model as? TrainedDiffusion, wanted.contains("likelihood") {
      let report = try DiffusionReport(
        of: diffusion, on: set, seed: seed, limit: count ?? 300, levels: levels
      ) { try progress($0, "variational bound") }
      (json, lines) = (report.json, report.lines)
    } else if let autoencoder = model as? TrainedAutoencoder {
      // What a VAE-GAN learned is no likelihood of pixels.
      if model.family != .vaeGAN,
        wanted.contains("likelihood") || wanted.contains("reconstruction")
      {
        let report = try AutoencoderReport(
          of: autoencoder, on: set,
          importanceSamples: wanted.contains("likelihood") ? iwaeSamples : 0, seed: seed,
          limit: count ?? .max
        ) { try progress($0, "importance-weighted bound") }
        (json, lines) = (report.json, report.lines)
      }
    } else if let gan = model as? TrainedGAN {
      if wanted.contains("discriminator") {
        try progress(0, "discriminator")
        let report = try DiscriminatorReport(
          of: gan, training: model.open(data, split: .train), held: set, seed: seed,
          limit: count ?? 2000)
        json["discriminator"] = .object(report.json)
        lines = ["\(runPath) on \(set.name), seed \(seed)"] + report.lines
      }
    } else if let classifier = model as? TrainedClassifier {
      let report = try ClassifierReport(of: classifier, on: set, limit: count ?? .max) {
        try progress($0, "classes")
      }
      (json, lines) = (report.json, report.lines)
      json["seed"] = .int(Int(seed))
    }
    if let restoring = model as? any RestoringModel, wanted.contains("reconstruction") {
      try progress(0, "reconstructions")
      let measured = try ReconstructionMeasures(of: restoring, on: set, limit: count ?? .max)
      json["reconstructions"] = .object(measured.json)
      lines += measured.lines
    }
    if lines.isEmpty { lines = ["\(runPath) on \(set.name), seed \(seed)"] }
    return (json, lines)
  }

  /// What a generator of points is measured by.
  private func modes(_ run: TrainedGAN) throws {
    let held = try run.openPoints(data, split: split)
    guard let mixture = PointMixture.named(held.name, split: split) else {
      throw CommandError("\(held.name): this set of points has no modes to be counted")
    }
    let seed = seed.value
    let coverage = ModeCoverage(
      points: run.sample(samples ?? 1000, seed: seed).points, mixture: mixture)
    let report = try DiscriminatorReport(
      of: run, training: run.openPoints(data, split: .train), held: held, seed: seed)
    try output.report(
      [
        "run": .string(runPath), "family": .string(run.family.rawValue),
        "data": .string(held.name), "count": .int(samples ?? 1000), "seed": .int(Int(seed)),
        "modes": .int(coverage.modesCaptured), "mode_count": .int(coverage.modeCount),
        "high_quality": .double(coverage.highQuality),
        "mode_entropy": .double(coverage.entropy), "discriminator": .object(report.json),
      ],
      lines: [
        "\(runPath) on \(held.name), seed \(seed)",
        "modes          \(coverage.modesCaptured) of \(coverage.modeCount) reached; "
          + String(
            format: "%.1f %% of %d samples within 3 σ of one", 100 * coverage.highQuality,
            samples ?? 1000),
      ] + report.lines)
  }

  /// What new pictures are measured for, and by.
  private struct Measuring {
    let measures: Set<SampleMeasure>
    let training: any Dataset
    let extractor: any FeatureExtractor
  }

  /// `nil` where nothing of it is wanted.
  private func measuring(
    _ model: any TrainedModel, _ set: any Dataset, _ wanted: Set<String>, _ device: Device
  ) throws -> Measuring? {
    let measures = Set(SampleMeasure.allCases.filter { wanted.contains($0.rawValue) })
    guard !measures.isEmpty else { return nil }
    guard min(set.count, count ?? .max) > 1 else {
      let sentence = "\(set.name): new pictures are compared with two pictures at least"
      guard self.measures == nil else { throw CommandError(sentence) }
      output.talk("note: \(sentence), so they are left out")
      return nil
    }
    let training = try model.open(data, split: .train)
    let name = data ?? model.origin?.data.name ?? set.name
    return Measuring(
      measures: measures, training: training,
      extractor: try features.extractor(for: name, device: device) { training })
  }

  /// The measures of new pictures.
  private func drawn(
    _ model: any TrainedModel, _ set: any Dataset, _ measuring: Measuring, _ seed: UInt64,
    _ progress: (Double, String) throws -> Void
  ) throws -> (json: JSONObject, lines: [String]) {
    let drawer = try SampleDrawer(model, denoising.request(seed: seed))
    let count = samples ?? 1000
    let reference = try ReferenceFeatures(
      of: set, by: measuring.extractor, limit: self.count ?? .max
    ) {
      try progress($0, "features of the data")
    }
    let samples = try drawer.samples(count, cached: !noCache) {
      try progress($0, "drawing \(count) samples")
    }
    let measured = try SampleMeasures(
      of: samples, drawn: drawer.request.description(for: model), by: measuring.extractor,
      against: reference, held: set, training: measuring.training, wanted: measuring.measures,
      seed: seed, progress: progress)
    let names = set.classNames ?? []
    return (measured.json(classNames: names), measured.lines(classNames: names))
  }
}

/// The measures that `--measures` names.
struct MeasureList: ExpressibleByArgument {
  let names: [String]

  static let all =
    ["likelihood", "reconstruction", "discriminator", "classification", "retrieval"]
    + SampleMeasure.allCases.map(\.rawValue)

  /// Those that mean something for a model.
  static func possible(for model: any TrainedModel) -> [String] {
    let drawn = SampleMeasure.allCases.map(\.rawValue)
    return switch model.family {
    case .ae, .vaeGAN: ["reconstruction"] + drawn
    case .vae: ["likelihood", "reconstruction"] + drawn
    case .autoencoderKL: ["reconstruction"]
    case .gan: ["discriminator"] + drawn
    case .diffusion: ["likelihood"] + drawn
    case .latentDiffusion: ["retrieval"]
    case .lora: []
    case .classifier: ["classification"]
    }
  }

  init?(argument: String) {
    names = argument.split(separator: ",").map(String.init)
    guard !names.isEmpty, names.allSatisfy(Self.all.contains) else { return nil }
  }

  static var allValueStrings: [String] { all }
}

extension FeatureChoice: ExpressibleByArgument {
  /// What `--features` takes.
  public init?(argument: String) { self.init(argument) }

  /// What help calls the default.
  public var defaultValueDescription: String { "auto" }
}

extension DenoisingOptions {
  /// What the flags ask for, for many pictures.
  func request(seed: UInt64) -> SampleRequest {
    SampleRequest(
      seed: seed, steps: steps, sampler: sampler, eta: eta, spacing: sigmas, guidance: wanted)
  }
}

extension Split: ExpressibleByArgument {}
