import Datasets
import Interchange
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
    /// New pictures to draw; `nil`: 200 of a diffusion model, 1000 of others.
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
    let (training, held) =
      if let points = model as? TrainedGAN, points.makesPoints {
        (
          try points.openPoints(options.data, split: .train),
          try points.openPoints(options.data, split: .test)
        )
      } else {
        (
          try model.open(options.data, split: .train),
          try model.open(options.data, split: .test)
        )
      }
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
    let history = try model.origin.map { try TrainingHistory(of: model.folder, record: $0) }
    if let history { facts.append(history) }
    switch model {
    case let model as TrainedAutoencoder: facts += try examination.facts(of: model)
    case let model as TrainedAutoencoderKL: facts += try examination.facts(of: model)
    case let model as TrainedGAN:
      facts += try examination.facts(of: model, history: history ?? TrainingHistory(curves: [:]))
    case let model as TrainedDiffusion: facts += try examination.facts(of: model)
    case let model as TrainedClassifier: facts += try examination.facts(of: model)
    default:
      throw EvaluationError(
        path: model.folder.path,
        "there is nothing to diagnose in a run of the family \(model.family.rawValue).")
    }
    self.init(of: facts, run: model.folder.path, family: model.family)
  }

  /// What the checks of some facts say.
  public init(of facts: [any Diagnosable], run: String, family: Family) {
    let verdicts = facts.flatMap(\.verdicts)
    let found = Self.afterRoots(verdicts.compactMap(\.self))
    findings = found.filter { $0.severity == .warning } + found.filter { $0.severity == .note }
    checks = verdicts.count
    self.run = (run, family)
  }

  /// Faults that leave a model whose samples cannot be good, whatever else is right.
  private static let roots: Set<String> = [
    "not_finite", "kl_too_strong", "kl_too_weak", "posterior_collapse", "frozen_average",
  ]
  /// What shows in such samples.
  private static let symptoms: Set<String> = [
    "low_coverage", "mode_collapse", "wrong_contrast", "wrong_brightness", "noise_left",
    "duplicates", "latent_holes", "blur", "out_of_range",
  ]

  /// The findings, where a symptom of a fault that was found is a note that says so.
  private static func afterRoots(_ findings: [Finding]) -> [Finding] {
    guard let root = findings.first(where: { roots.contains($0.check) })?.check else {
      return findings
    }
    return findings.map { finding in
      guard symptoms.contains(finding.check) else { return finding }
      return Finding(
        finding.check, .note, figure: finding.figure, threshold: finding.threshold,
        finding.message, why: "this may follow from \(root).", remedy: "mend \(root) first.")
    }
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
