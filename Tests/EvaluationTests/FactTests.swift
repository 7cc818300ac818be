import Datasets
import Diffusion
import Foundation
import Interchange
import TestSupport
import Testing
import Torch
import Training

@testable import Evaluation

/// Each check on made-up facts: on both sides of its threshold.
@Suite struct FactTests {
  private func history(
    _ values: [Double], name: String = "loss", limit: Double? = nil, epochs: Double? = 5
  ) -> TrainingHistory {
    TrainingHistory(
      curves: [name: .init(steps: values.indices.map { 10 * ($0 + 1) }, values: values)],
      epochs: epochs, gradientLimit: limit)
  }

  private func names(_ facts: some Diagnosable) -> [String] { facts.findings.map(\.check) }

  /// Falls from 2 to 1 and stays, with a little noise.
  private let settled = (0..<40).map { 1 + exp(-Double($0) / 3) + 0.001 * sin(Double(7 * $0)) }

  @Test func curves() {
    #expect(names(history(settled)).isEmpty)
    var exploding = settled
    exploding[30] = 1.8
    #expect(names(history(exploding)) == ["exploding_loss"])
    #expect(history(exploding).explodingLoss?.message.contains("at step 310") == true)
    // A single step may be far off without that anything is lost.
    let busy = TrainingHistory(
      curves: ["loss": .init(steps: Array(1...40), values: exploding)], epochs: 5)
    #expect(!names(busy).contains("exploding_loss"))
    // A KL term that comes in raises the loss: that is no explosion.
    let warming = TrainingHistory(
      curves: [
        "loss": .init(
          steps: Array(1...40), values: (1...40).map { $0 == 1 ? 2.2 : min(2, 1 + Double($0) / 20) }
        )
      ], settledFrom: 20)
    #expect(names(warming).isEmpty)
    var broken = settled
    broken[5] = .nan
    #expect(names(history(broken)) == ["not_finite"])
    // A power law halves with each doubling.
    let falling = (0..<40).map { 10 / Double($0 + 1) }
    let finding = history(falling).stillImproving
    #expect(finding?.check == "too_little_time" && finding?.figure ?? 0 > 0.3)
    #expect(names(history(settled, epochs: 0.4)) == ["too_little_time"])
    // Nats below zero: what falls is measured by what was learned.
    #expect(names(history(settled.map { $0 - 1.5 })).isEmpty)
    #expect(names(history(settled, name: "gradient_norm", limit: 1)).isEmpty)
    var leaping = settled
    leaping[20] = 500
    #expect(names(history(leaping, name: "gradient_norm", limit: 1)) == ["exploding_gradients"])
  }

  @Test func aHistoryIsReadFromItsRun() throws {
    try withScratchFolder { folder in
      let run = RunFolder(path: folder)
      var record = RunRecord(
        family: "vae", command: [], config: ["batch_size": 32, "gradient_clip": 1.5], seed: 0,
        data: .init(name: "", count: 320, fingerprint: "", imageSize: 8, channels: 1))
      record.steps = 15
      let log = try MetricsLog(path: run.metricsPath)
      for step in 1...15 {
        try log.append([
          "step": .int(step), "epoch": 0, "seconds": .double(0.1), "rate": .double(9),
          "loss": .double(Double(step)), "gradient_norm": .double(2),
        ])
      }
      try log.append(["step": 15, "validation_loss": .double(3)])
      let history = try TrainingHistory(of: run, record: record)
      #expect(history.curves.keys.sorted() == ["gradient_norm", "loss"])
      #expect(history.curves["loss"]?.steps == Array(1...15))
      #expect(history.epochs == 1.5 && history.gradientLimit == 1.5)
      try FileManager.default.removeItem(atPath: run.metricsPath)
      #expect(try TrainingHistory(of: run, record: record).curves.isEmpty)
    }
  }

  @Test func averages() {
    func found(_ a: Double, _ t: Double?, _ am: Double?, _ tm: Double?) -> [String] {
      names(
        AverageFacts(
          averagedError: a, trainedError: t, averagedMovement: am, trainedMovement: tm))
    }
    #expect(found(1, 1.02, 0.5, 0.52).isEmpty)
    #expect(found(2, 1, 0.5, 0.52) == ["lagging_average"])
    #expect(found(2, 1, 0.001, 0.52) == ["frozen_average"])
    #expect(found(2, nil, 0, nil) == ["frozen_average"])
    #expect(found(2, nil, 0.3, nil).isEmpty)
    #expect(found(2, nil, nil, nil).isEmpty)
  }

  @Test(arguments: Prediction.allCases)
  func theTrivialErrorIsThatOfTheBestLine(_ prediction: Prediction) {
    // By least squares on draws: the line through target and x_t.
    let (alpha, sigma) = prediction == .flow ? (0.6, 0.4) : (0.6, 0.8)
    let generator = Generator(seed: 4)
    let x = 0.3 + 0.7 * Tensor.randn([400_000], using: generator).to(.float64)
    let noise = Tensor.randn([400_000], using: generator).to(.float64)
    let shown = alpha * x + sigma * noise
    let target = prediction.target(
      x, noise: noise, alpha: Tensor(alpha, dtype: .float64), sigma: Tensor(sigma, dtype: .float64))
    let (dx, dy) = (shown - shown.mean(), target - target.mean())
    let slope = (dx * dy).mean() / dx.square().mean()
    let expected = (dy - slope * dx).square().mean().item()
    let level = SignalLevel(alpha: alpha, sigma: sigma)
    let found = DenoisingFacts.trivialError(of: prediction, at: level, variance: 0.49)
    #expect(abs(found - expected) < 0.01 * expected, "\(found) \(expected)")
    let variance = DenoisingFacts.targetVariance(of: prediction, at: level, variance: 0.49)
    #expect(abs(variance - dy.square().mean().item()) < 0.01 * variance)
  }

  @Test func levels() {
    func facts(_ errors: [Double]) -> DenoisingFacts {
      DenoisingFacts(
        bins: errors.indices.map {
          .init(levels: 10 * $0..<10 * $0 + 10, error: errors[$0], trivial: 0.3, target: 1)
        })
    }
    #expect(names(facts([0.1, 0.2, 0.31])).isEmpty)
    #expect(names(facts([0.1, 0.35, 0.1])) == ["worse_than_trivial"])
    #expect(facts([0.1, 0.35, 0.1]).worseThanTrivial?.message.contains("levels 10 to 19") == true)
    #expect(names(facts([0.29, 0.29, 0.29])) == ["barely_denoises"])
  }

  @Test func schedules() {
    func found(_ schedule: NoiseSchedule, _ prediction: Prediction = .epsilon) -> [String] {
      names(ScheduleFacts(schedule: schedule, prediction: prediction))
    }
    #expect(found(NoiseSchedule()).isEmpty)
    #expect(found(NoiseSchedule(.cosine)).isEmpty)
    #expect(found(NoiseSchedule(end: 0.002)) == ["terminal_signal"])
    let zero = NoiseSchedule(
      betas: NoiseSchedule.zeroTerminalSNR(
        BetaSchedule.linear.betas(count: 100, start: 1e-4, end: 0.2)))
    #expect(found(zero) == ["zero_terminal_snr"])
    #expect(found(zero, .velocity).isEmpty)
    let betas = (0..<1000).map { Float($0 < 700 ? 0.02 : 0) }
    #expect(found(NoiseSchedule(betas: Tensor(betas))) == ["idle_levels"])
    let other = ScheduleFacts(
      schedule: NoiseSchedule(), prediction: .epsilon, trained: NoiseSchedule(.cosine))
    #expect(names(other) == ["changed_schedule"])
  }

  // MARK: A generator and its discriminator

  private func game(
    _ loss: AdversarialFacts.Loss = .nonSaturating, accuracy: Double = 0.7, last norm: Double = 1,
    real: Double = 0.7, drawn: Double = 0.3,
    memory: (training: Double, heldOut: Double)? = (0.7, 0.68)
  ) -> AdversarialFacts {
    func curve(_ first: Double, _ last: Double) -> [Double] {
      (0..<20).map { $0 < 10 ? first : last }
    }
    return AdversarialFacts(
      loss: loss, discriminatorAccuracy: curve(0.8, accuracy),
      generatorGradientNorm: curve(1, norm), realChance: curve(0.7, real),
      drawnChance: curve(0.3, drawn), memory: memory)
  }

  @Test func aDiscriminatorAheadIsNamed() {
    #expect(names(game()).isEmpty)
    #expect(game().verdicts.count == 5)
    #expect(names(game(accuracy: 0.995)) == ["discriminator_ahead"])
    #expect(names(game(real: 0.99, drawn: 0.01)) == ["discriminator_sure"])
    #expect(names(game(.saturating, last: 1e-3)) == ["vanishing_generator_gradient"])
    #expect(game(.saturating, last: 1e-3).vanishingGradient?.why.contains("saturating") == true)
    #expect(names(game(memory: (0.8, 0.4))) == ["discriminator_overfitting"])
    let lost = game(accuracy: 0.5).findings
    #expect(lost.map(\.check) == ["discriminator_lost"] && lost[0].severity == .note)
    // A critic's scores are no chances.
    #expect(names(game(.wasserstein, accuracy: 1, real: 9, drawn: -9)).isEmpty)
  }

  @Test func aGeneratorOfOneClassIsNamed() throws {
    let small = try SmallRuns(side: 16)
    let extractor = try PixelFeatures(of: small.training)
    // Pictures that are in neither part.
    let unseen = try DatasetCatalog.open("shapes", split: .test, imageSize: 16, channels: 1)
    func facts(_ indices: [Int]) throws -> SampleFacts {
      try SampleFacts(
        of: unseen.pictures(indices.map { $0 + 1000 }), isDecoded: false, training: small.training,
        held: small.held, by: extractor)
    }
    let one = (0..<1000).filter { unseen.label(at: $0 + 1000) == 0 }
    let collapsed = names(try facts(Array(one.prefix(100))))
    #expect(collapsed.contains("mode_collapse"), "\(collapsed)")
    let all = try facts(Array(0..<200))
    #expect(names(all).isEmpty, "\(all.findings)")
    // Five pictures again and again.
    let few = names(try facts((0..<200).map { $0 % 5 }))
    #expect(few.contains("duplicates") && few.contains("low_coverage"), "\(few)")
  }

  @Test func copiesAreNamedAndChanceIsNot() throws {
    let small = try SmallRuns(side: 16, count: 300)
    func nearness(_ pictures: Tensor) throws -> Nearness {
      try #require(try Nearness(of: pictures, training: small.training, held: small.held))
    }
    let noise = 0.01 * Tensor.randn([100, 1, 16, 16], using: Generator(seed: 1))
    let copied = try nearness(try small.training.pictures(0..<100) + noise)
    #expect(names(copied) == ["nearer_to_training", "memorization"], "\(copied)")
    // Pictures that nobody has seen, and one picture again and again, whose nearest one is a single
    // picture of either part.
    let unseen = try DatasetCatalog.open("shapes", split: .test, imageSize: 16, channels: 1)
    #expect(try names(nearness(unseen.pictures(1000..<1100))).isEmpty)
    for place in 1000..<1010 {
      let again = try unseen.pictures(Array(repeating: place, count: 100))
      #expect(try abs(nearness(again).z) < 4)
    }
  }

  @Test func rangeAndContrast() throws {
    let small = try SmallRuns(side: 8, count: 500)
    let pictures = try small.held.pictures(0..<200)
    let extractor = try PixelFeatures(of: small.training)
    func found(_ pictures: Tensor, raw: Tensor? = nil) throws -> [String] {
      names(
        try SampleFacts(
          of: pictures, raw: raw, isDecoded: false, training: small.training, held: small.held,
          by: extractor))
    }
    #expect(try found(pictures, raw: 2 * pictures - 1).isEmpty)
    #expect(try found(pictures, raw: 3 * (2 * pictures - 1)) == ["out_of_range"])
    #expect(try found(0.45 + 0.1 * pictures).contains("wrong_contrast"))
    #expect(try found(pictures * 0).contains("wrong_brightness"))
    let noise = Tensor.randn(pictures.shape, using: Generator(seed: 2))
    #expect(try found((pictures + 0.5 * noise).clamped(min: 0, max: 1)).contains("noise_left"))
    #expect(throws: EvaluationError.self) { try found(pictures * Double.nan) }
  }

  @Test func aDiagnosisCountsAndSorts() {
    let facts: [any Diagnosable] = [
      game(accuracy: 0.5), history(settled, epochs: 0.2), game(),
    ]
    let diagnosis = Diagnosis(of: facts, run: "runs/x", family: .vae)
    #expect(diagnosis.checks == 14)
    #expect(diagnosis.findings.map(\.check) == ["too_little_time", "discriminator_lost"])
    #expect(!diagnosis.isHealthy && diagnosis.json["healthy"]?.bool == false)
    #expect(diagnosis.lines[0] == "runs/x: 1 warning, 1 note: 14 checks")
    let sound = Diagnosis(of: [game()], run: "runs/x", family: .vae)
    #expect(sound.lines == ["runs/x: nothing found: 5 checks"] && sound.isHealthy)
    let keys = diagnosis.json["findings"]?.array?[0].object?.keys ?? []
    #expect(
      keys == ["check", "severity", "figure", "threshold", "message", "why", "remedy"])
  }
}
