import TestSupport
import Testing
import Torch

@testable import Evaluation

/// Measures of feature vectors against torch-fidelity, prdc and scikit-learn.
@Suite struct FeatureMeasureTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture("evaluation/features") }

  /// The error is what sets of new samples scatter by.
  @Test func theErrorOfTheKernelDistanceIsItsScatter() throws {
    let random = Generator(seed: 9)
    let real = Tensor.randn([4000, 8], using: random)
    let distances = try (0..<24).map { _ in
      try KernelDistance(
        Tensor.randn([300, 8], using: random) * 1.2 + 0.3, real, using: random)
    }
    let scatter = Moments(distances.map(\.mean)).variance.squareRoot()
    let told = distances.map(\.standardError).reduce(0, +) / 24
    #expect((0.7...1.4).contains(told / scatter), "\(told) told, \(scatter) found")
  }

  @Test func subsetsHaveTheKernelDistanceOfTorchFidelity() throws {
    let (real, fake) = (try fixture["real"], try fixture["fake"])
    let subsets = try fixture["subsets"]
    let found = (0..<subsets.size(0)).map { i in
      KernelDistance.squaredDiscrepancy(
        real.selected(0, at: subsets[i]), fake.selected(0, at: subsets[i]))
    }
    expectClose(Tensor(found), try fixture["mmds"], rtol: 1e-8, atol: 0)
  }

  @Test func kernelDistanceIsUnbiasedAndStatesItsError() throws {
    let random = Generator(seed: 1)
    let (a, b) = (
      Tensor.randn([2000, 8], using: random), Tensor.randn([2000, 8], using: random)
    )
    let same = try KernelDistance(a, b, subsets: 50, subsetSize: 100, using: random)
    #expect(same.subsetSize == 100 && same.estimates.count == 50)
    #expect(abs(same.mean) < 4 * same.standardError, "\(same.mean) ± \(same.standardError)")
    // 20 subsets of 100 fit into 2000 vectors.
    #expect(abs(same.standardError - same.deviation / (20 * 0.95).squareRoot()) < 1e-12)
    let shifted = try KernelDistance(a, b + 1, subsets: 50, subsetSize: 5000, using: random)
    #expect(shifted.subsetSize == 1000)
    #expect(shifted.mean > 10 * shifted.standardError && shifted.mean > 1)
    let again = try KernelDistance(a, b, subsets: 3, using: Generator(seed: 7))
    let twice = try KernelDistance(a, b, subsets: 3, using: Generator(seed: 7))
    #expect(again.estimates == twice.estimates)
  }

  @Test(arguments: [1, 10])
  func inceptionScoreIsTorchFidelitys(_ splits: Int) throws {
    let found = try InceptionScore(logits: fixture["logits"], splits: splits, using: nil)
    expectClose(
      Tensor([found.mean, found.deviation]), try fixture["scores.\(splits)"], rtol: 1e-8,
      atol: 1e-12)
  }

  @Test func shufflingSpreadsSortedSamplesOverTheSplits() throws {
    // One class a split, perfectly sure: every split looks like mode collapse until shuffled.
    let classes = Tensor((0..<1000).map { $0 / 100 })
    let logits = classes.oneHot(classes: 10).to(.float32) * 100
    #expect(abs(try InceptionScore(logits: logits, using: nil).mean - 1) < 1e-9)
    #expect(try InceptionScore(logits: logits, using: Generator(seed: 0)).mean > 9)
  }

  @Test(arguments: [1, 3, 5])
  func ballsHoldWhatPrdcSays(_ k: Int) throws {
    let found = try PrecisionRecall(
      samples: fixture["fake"], real: fixture["real"], neighbours: k)
    let figures = [found.precision, found.recall, found.density, found.coverage]
    expectClose(Tensor(figures), try fixture["prdc.\(k)"], rtol: 1e-9, atol: 0)
  }

  @Test func aSetAgainstItselfHasAllAndNoMore() throws {
    let x = 100 + Tensor.randn([3000, 5], using: Generator(seed: 2))
    let found = try PrecisionRecall(samples: x, real: x, neighbours: 4)
    #expect(found.precision == 1 && found.recall == 1 && found.coverage == 1)
    // Four vectors lie nearer than the rim, itself included: those on it stay outside.
    #expect(abs(found.density - 1) < 1e-9)
    // Copies of one vector have balls without extent, so they recall nothing.
    let copies = Tensor.ones([3000, 1], dtype: .float32) * x.narrowed(0, 0, 1)
    let collapsed = try PrecisionRecall(samples: copies, real: x, neighbours: 4)
    #expect(collapsed.precision == 1 && collapsed.recall == 0)
    #expect(collapsed.coverage < 0.01)
  }

  @Test func nearestNeighboursAreScikitLearns() throws {
    let fixture = try Fixture("evaluation/neighbours")
    let found = try Memorization(
      of: fixture["samples"], training: fixture["train"], heldOut: fixture["held"],
      copyDistance: 0.01)
    expectClose(
      Tensor(found.trainingDistances), try fixture["to_train"], rtol: 1e-6, atol: 1e-9)
    expectClose(Tensor(found.heldOutDistances), try fixture["to_held"], rtol: 1e-6, atol: 1e-9)
    expectEqual(Tensor(found.nearestTraining), try fixture["nearest"])
    #expect(found.exactCopies == 1 && found.nearCopies == 2 && found.memorized == 2)
    #expect(found.nearestTraining[3] == 11 && found.nearestTraining[7] == 5)
    let sorted = found.trainingDistances.sorted()
    #expect(found.trainingMedian == sorted[12])
    #expect(abs(found.expectedNearer - 40.0 / 70) < 1e-12)
    let nearer = zip(found.trainingDistances, found.heldOutDistances).count { $0 < $1 }
    #expect(found.nearerToTraining == Double(nearer) / 25)
  }

  @Test func pairsOfABatchCountOnceEach() throws {
    let x = Tensor.randn([2500, 12], using: Generator(seed: 5))
    #expect(try NearDuplicates(in: x, within: 0.01).count == 0)
    #expect(try NearDuplicates(in: x, within: 0.01).supportSize == nil)
    // Of 2,500 draws from 50 vectors, 50 each: 50 · 1,225 pairs, an estimate of just above 50.
    let few = Tensor.concatenated([Tensor](repeating: x.narrowed(0, 0, 50), count: 50))
    let found = try NearDuplicates(in: few, within: 0.01)
    #expect(found.count == 50 * 1225)
    #expect(found.supportSize.map { abs($0 - 51) < 0.1 } == true)
    #expect(found.closest.count == 20)
    #expect(found.closest.allSatisfy { $0.distance < 1e-6 && $0.first < $0.second })
    #expect(found.closest.allSatisfy { $0.first % 50 == $0.second % 50 })
  }

  @Test func tooFewVectorsAreRefusedInASentence() throws {
    let (few, random) = (Tensor.randn([3, 2], using: Generator(seed: 0)), Generator(seed: 0))
    func refused(_ word: String, _ body: () throws -> Void) {
      let error = #expect(throws: EvaluationError.self, performing: body)
      #expect(error?.sentence.contains(word) == true, "\(error?.sentence ?? "")")
    }
    refused("KID") { _ = try KernelDistance(few, few, using: random) }
    refused("splits") { _ = try InceptionScore(logits: few, using: nil) }
    refused("neighbour") { _ = try PrecisionRecall(samples: few, real: few) }
    refused("FID∞") {
      let distance = FrechetDistance(from: FeatureStatistics(few))
      _ = try FrechetExtrapolation(of: few, from: distance, using: random)
    }
    refused("training") {
      _ = try Memorization(of: few, training: few.narrowed(0, 0, 1), heldOut: few)
    }
    refused("two samples") { _ = try NearDuplicates(in: few.narrowed(0, 0, 1), within: 1) }
    refused("classes") { _ = try ClassBalance(labels: [], classes: 3) }
    refused("label") { _ = try ClassificationReport(predicted: [], actual: [], classes: 2) }
    refused("both kinds") { _ = try ROCCurve(scores: [0, 1], isPositive: [true, true]) }
  }

  @Test func whatADivergedNetworkDrawsIsRefused() throws {
    let real = Tensor.randn([40, 3], using: Generator(seed: 0))
    let broken = real.log()  // of negative numbers: NaN
    let random = Generator(seed: 0)
    let statistics = (FeatureStatistics(real), FeatureStatistics(broken))
    #expect(statistics.0.frechetDistance(to: statistics.1).isNaN)
    #expect(statistics.1.frechetDistance(to: statistics.0).isNaN)
    #expect(throws: EvaluationError.self) { try KernelDistance(real, broken, using: random) }
    #expect(throws: EvaluationError.self) { try InceptionScore(logits: broken, using: nil) }
    #expect(throws: EvaluationError.self) { try PrecisionRecall(samples: broken, real: real) }
    #expect(throws: EvaluationError.self) {
      try FrechetExtrapolation(
        of: broken, from: FrechetDistance(from: statistics.0), using: random)
    }
    #expect(throws: EvaluationError.self) {
      try Memorization(of: broken, training: real, heldOut: real)
    }
    #expect(throws: EvaluationError.self) { try NearDuplicates(in: broken, within: 1) }
    #expect(throws: EvaluationError.self) {
      try ROCCurve(scores: [.nan, 1], isPositive: [true, false])
    }
  }
}
